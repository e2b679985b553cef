"""Tests of the shipped alert rules, by Prometheus' own tool, and of the metrics named by them and by rotator."""

import re
import subprocess
from pathlib import Path

from rotator.report.metrics import HELP, render, updated
from tests.programs import needed
from tests.report.test_metrics import ODD, ended
from tests.worlds import TODAY

RULES = Path(__file__).parents[2] / "docs" / "prometheus" / "rotator.rules.yml"
TESTS = Path(__file__).parent / "rotator.test.yml"
PROMTOOL = "promtool"


def promtool(*words: str, text: str = "") -> str:
    done = subprocess.run(
        [needed(PROMTOOL, "prometheus"), *words], input=text, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_the_rules_are_valid_and_every_alert_fires_and_rests_when_it_should() -> None:
    promtool("check", "rules", str(RULES))
    promtool("test", "rules", str(TESTS))


def test_every_alert_has_a_unit_test_and_names_only_metrics_that_there_are() -> None:
    rules, tests = RULES.read_text(), TESTS.read_text()
    alerts = re.findall(r"- alert: (\w+)", rules)
    assert len(alerts) > 8
    assert set(alerts) == set(re.findall(r"- alertname: (\w+)", tests))
    assert set(re.findall(r"\brotator_\w+", rules + tests)) <= set(HELP)


def test_prometheus_takes_the_metrics_whatever_the_policies_are_called() -> None:
    values = updated({}, [ended(), ended(ODD), ended("\udc80")], ["broken"], TODAY, untold=1, known={"web"})
    said = promtool("check", "metrics", text=render(values))
    assert said.strip() == ""
