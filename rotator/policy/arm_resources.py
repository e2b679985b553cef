"""The one container group among the resources of an ARM template, and of the deployments inside it.

Rules for editors of this file:

1. With the scope `outer` Resource Manager evaluates a text again, where its value is an expression: it is refused.
2. The policy has the group's name. Of a name here with a part that only Resource Manager knows, the rest has to fit.
"""

from typing import Any

from rotator.errors import Mistake
from rotator.policy.arm_candidates import Candidate, TemplateResource, candidates
from rotator.policy.arm_expression import is_expression, literal
from rotator.policy.arm_functions import ENCODED, REFERRED, UNKNOWN
from rotator.policy.arm_syntax import Unevaluated
from rotator.policy.arm_template import Template
from rotator.policy.located import Located, Path, plain, texts
from rotator.policy.manifest import alone, filled, has_placeholder, placeholders
from rotator.remedy import EXPORT_GROUP


def container_group(template: Template) -> tuple[Located, Path, dict[str, Any]] | None:
    """Return the container group: its document, path and content; None, with a mistake, if it isn't exactly one."""
    template.check_file()
    try:
        chosen = _chosen(template)
        return (chosen.place.template.found, chosen.place.path, _content(chosen)) if chosen else None
    except Unevaluated as error:
        template.mistakes += [error.mistake] if error.mistake and error.mistake not in template.mistakes else []
    except RecursionError:
        template.refuse(("resources",), "values that are nested too deeply", "Write them out.")
    return None


def _content(chosen: Candidate) -> dict[str, Any]:
    template, here = chosen.place.template, chosen.place.path
    named = UNKNOWN not in (chosen.outline or "")
    with chosen.entry():
        for each in (*chosen.within, chosen.place):
            each.ensure_deployed()
        content = template.resource(here, named=named)
    for path, text in texts(content) if chosen.outer else ():
        if is_expression(text) or literal(text) != text:
            problem = "a text in brackets, which Resource Manager evaluates again in a nested deployment of outer scope"
            remedy = 'Write `"expressionEvaluationOptions": {"scope": "inner"}` in the deployment.'
            template.refuse((*here, *path), problem, remedy)
    settled: dict[str, Any] = _settled(chosen.place, (), content)
    return settled


def _settled(place: TemplateResource, path: Path, value: Any) -> Any:
    """Return a value with the placeholders that a manifest has, in place of those inside of a template.

    A file of a secret volume is in base64 there (azure-facts A9): what ARM would read for it is so already, and what
    the template encodes is not.
    """
    if isinstance(value, dict):
        return {name: _settled(place, (*path, name), item) for name, item in value.items()}
    if isinstance(value, list):
        return [_settled(place, (*path, at), item) for at, item in enumerate(value)]
    if not isinstance(value, str) or not has_placeholder(value):
        return value
    file = len(path) == 5 and [str(part).lower() for part in (path[1], path[3])] == ["volumes", "secret"]
    inside = alone(value) or ""
    if file and inside.startswith(ENCODED):
        return f"${{{{ {inside.removeprefix(ENCODED).removeprefix(REFERRED)} }}}}"
    if file and inside.startswith(REFERRED):
        return f"${{{{ {inside.removeprefix(REFERRED)}:base64 }}}}"
    if any(each.startswith(ENCODED) for each in placeholders(value)):
        problem = (
            "base64() with a placeholder, whose value is not known yet, in other places than a secret volume's files"
        )
        place.template.refuse((*place.path, *path), problem, "Write the placeholder alone.")
    return filled(value, lambda each: f"${{{{ {each.removeprefix(REFERRED)} }}}}")


def _chosen(template: Template) -> Candidate | None:
    unread = list[Mistake]()
    found = list(candidates(Candidate(TemplateResource(template, ())), unread))
    if not found:
        remedy = f"Name the template that has one, or what `{EXPORT_GROUP}` writes."
        nothing = template.found.mistake(("resources",), "no container group in this template", remedy)
        template.mistakes.append(unread[0] if unread else nothing)
        return None
    wanted = template.group_id.name
    if len(found) == 1 and found[0].alone:
        return found[0] if _possible(found[0], wanted) else None
    fitting = [each for each in found if each.name.lower() == wanted.lower()]
    fitting = fitting or [each for each in found if each.name != "*" and each.fits(wanted)]
    fitting = [each for each in fitting if not each.left_out] or fitting[:1]
    if len(fitting) == 1:
        return fitting[0]
    names = plain(", ".join(each.name for each in fitting or found))
    problem = f"several container groups, but none is named {plain(wanted)}: {names}"
    remedy = "Correct the group's name here, or its id in the policy."
    if fitting:
        problem = f"several container groups are named {plain(wanted)}: {names}"
        remedy = "Name each by itself, or let one condition be true."
    template.refuse(("resources",), problem, remedy)
    return None


def _possible(chosen: Candidate, wanted: str) -> bool:
    """Refuse the only container group if the known part of its name isn't that of the policy's."""
    if UNKNOWN not in (chosen.outline or "") or chosen.fits(wanted):
        return True
    problem = f"not the name of the group in the policy, which is {plain(wanted)}: it is {plain(chosen.name)}"
    remedy = "Correct the id in the policy; * is a part that only Resource Manager knows."
    chosen.place.template.refuse((*chosen.place.path, "name"), problem, remedy)
    return False
