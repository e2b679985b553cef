"use strict";
(() => {
  const policies = [...document.querySelectorAll("details.policy")];
  const folds = [...document.querySelectorAll("details.alike")];
  const filters = document.getElementById("filters");
  const name = document.getElementById("name");
  const chips = [...document.querySelectorAll("button.chip")];
  const shown = document.getElementById("shown");
  const toggle = document.getElementById("toggle");
  const none = document.getElementById("none");
  const opened = () => policies.filter((policy) => !policy.hidden).some((policy) => policy.open);

  function label() {
    toggle.textContent = opened() ? "Close all" : "Open all";
  }

  function apply() {
    const words = name.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
    const states = chips.filter((chip) => chip.getAttribute("aria-pressed") === "true").map((chip) => chip.dataset.state);
    let count = 0;
    for (const policy of policies) {
      const fits =
        words.every((word) => policy.dataset.name.includes(word)) &&
        (states.length === 0 || states.includes(policy.dataset.state));
      policy.hidden = !fits;
      count += fits;
    }
    for (const fold of folds) {
      const fitting = [...fold.querySelectorAll("details.policy")].filter((policy) => !policy.hidden).length;
      fold.hidden = fitting === 0;
      fold.querySelector("b").textContent = fitting;
      if (words.length) fold.open = true;
    }
    shown.textContent = count === policies.length ? `${count} shown` : `${count} of ${policies.length} shown`;
    none.hidden = count > 0;
    label();
    remember(words, states);
  }

  function remember(words, states) {
    const said = new URLSearchParams();
    if (words.length) said.set("name", words.join(" "));
    if (states.length) said.set("state", states.join(","));
    const hash = `#${said}`;
    if (hash !== (location.hash || "#")) location.replace(hash);
  }

  function recall() {
    const said = new URLSearchParams(location.hash.slice(1));
    const states = (said.get("state") || "").split(",");
    name.value = said.get("name") || "";
    for (const chip of chips) chip.setAttribute("aria-pressed", String(states.includes(chip.dataset.state)));
  }

  filters.addEventListener("submit", (event) => event.preventDefault());
  name.addEventListener("input", apply);
  for (const chip of chips) {
    chip.addEventListener("click", () => {
      chip.setAttribute("aria-pressed", String(chip.getAttribute("aria-pressed") !== "true"));
      apply();
    });
  }
  toggle.addEventListener("click", () => {
    const open = !opened();
    for (const one of [...folds, ...policies]) if (!one.hidden) one.open = open;
    label();
  });
  for (const policy of policies) policy.addEventListener("toggle", label);
  addEventListener("keydown", (event) => {
    if (event.key === "/" && document.activeElement !== name) {
      event.preventDefault();
      name.focus();
    } else if (event.key === "Escape" && document.activeElement === name) {
      name.value = "";
      apply();
    }
  });
  addEventListener("hashchange", () => {
    recall();
    apply();
  });
  recall();
  filters.hidden = false;
  document.getElementById("tools").hidden = false;
  apply();
})();
