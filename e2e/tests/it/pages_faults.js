(() => {
  const faults = [];
  const shown = (selector) => [...document.querySelectorAll(selector)].filter((e) => e.getClientRects().length > 0);
  const called = (e) => `${e.tagName.toLowerCase()}${e.id ? "#" + e.id : "." + e.className}`;

  const foreign = performance
    .getEntriesByType("resource")
    .map((entry) => entry.name)
    .concat([...document.querySelectorAll("[src], link[href]")].map((e) => e.src || e.href))
    .filter((address) => new URL(address).origin !== location.origin);
  for (const address of foreign) faults.push(`${address} is of another origin`);
  if (performance.getEntriesByType("resource").length === 0) faults.push("nothing was loaded");

  if (!document.documentElement.lang) faults.push("the page names no language");
  for (const e of shown("img:not([alt])")) faults.push(`${called(e)} has no text in its place`);
  for (const e of shown("input")) if (e.labels.length !== 1) faults.push(`${called(e)} has no label`);
  for (const e of shown(".dex-error-box:not([role=alert])")) faults.push(`${called(e)} is not announced`);

  const { scrollWidth, clientWidth } = document.documentElement;
  if (scrollWidth > clientWidth) faults.push(`${scrollWidth - clientWidth} pixels lie beyond the edge`);

  // Relative luminance and contrast by WCAG 2.2.
  const channels = (color) => color.match(/[\d.]+/g).map(Number);
  const luminance = (color) => {
    const [r, g, b] = channels(color).map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (a, b) => {
    const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x);
    return (light + 0.05) / (dark + 0.05);
  };
  const behind = (e) => {
    for (let at = e; at; at = at.parentElement) {
      const color = getComputedStyle(at).backgroundColor;
      if ((channels(color)[3] ?? 1) > 0) return color;
    }
    return "rgb(255, 255, 255)";
  };
  const enough = (what, ratio, wanted) => {
    if (ratio < wanted) faults.push(`${what} has a contrast of ${ratio.toFixed(2)}, not ${wanted}`);
  };
  const says = (e) => [...e.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
  for (const e of shown("body *").filter((e) => says(e) || e.tagName === "INPUT")) {
    enough(`the text of ${called(e)}`, contrast(getComputedStyle(e).color, behind(e)), 4.5);
  }
  for (const e of shown("input")) {
    enough(`the edge of ${called(e)}`, contrast(getComputedStyle(e).borderTopColor, behind(e.parentElement)), 3);
  }

  const focused = document.activeElement;
  const looks = (e) => {
    const style = getComputedStyle(e);
    return `${style.outlineStyle} ${style.outlineWidth} ${style.outlineColor}`;
  };
  for (const e of shown("a, button, input")) {
    focused.blur();
    const before = looks(e);
    e.focus({ focusVisible: true });
    if (looks(e) === before) faults.push(`${called(e)} looks the same with the focus`);
    else enough(`the focus of ${called(e)}`, contrast(getComputedStyle(e).outlineColor, behind(e.parentElement)), 3);
    e.blur();
  }
  focused.focus();
  return faults;
})()
