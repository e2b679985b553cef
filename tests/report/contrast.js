// Lists every text whose contrast with its ground is less than asked for (WCAG 2.2, 1.4.3).
((least) => {
  const numbers = (text) => {
    const found = text.match(/[\d.]+/g).map(Number);
    const scale = text.startsWith("color(") ? 255 : 1;
    return [...found.slice(0, 3).map((n) => n * scale), found.length > 3 ? found[3] : 1];
  };
  const over = (top, below) => top.slice(0, 3).map((n, i) => n * top[3] + below[i] * (1 - top[3]));
  const ground = (element) => {
    const layers = [];
    for (let e = element; e; e = e.parentElement) layers.push(numbers(getComputedStyle(e).backgroundColor));
    return layers.reverse().reduce((below, layer) => over(layer, below), [255, 255, 255]);
  };
  const light = (rgb) => rgb.map((n) => n / 255).map((n) => (n <= 0.04045 ? n / 12.92 : ((n + 0.055) / 1.055) ** 2.4))
    .reduce((sum, n, i) => sum + n * [0.2126, 0.7152, 0.0722][i], 0);
  const poor = [];
  for (const element of document.querySelectorAll("body *")) {
    if (!element.offsetHeight && !element.closest("svg")) continue;
    const text = [...element.childNodes].filter((n) => n.nodeType === 3 && n.data.trim()).map((n) => n.data.trim())[0];
    if (!text || ["title", "STYLE", "SCRIPT"].includes(element.tagName)) continue;
    const below = ground(element.closest("svg") ? element.closest("svg").parentElement : element);
    const own = getComputedStyle(element);
    const ink = over(numbers(element.closest("svg") ? own.fill : own.color), below);
    const [a, b] = [light(ink), light(below)].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < least) poor.push(`${ratio.toFixed(2)} ${element.tagName}.${element.getAttribute("class")} ${text.slice(0, 30)}`);
  }
  return [...new Set(poor)];
})
