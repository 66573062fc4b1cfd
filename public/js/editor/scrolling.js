// Text and page side by side scroll together: headings, listings and images lie at one height, and
// what is between them is stretched.

// Each kind as a line of the text, and as elements of the page.
const KINDS = [
  [/^ {0,3}#{1,6}\s/, "h1, h2, h3, h4, h5, h6"],
  [/^ {0,3}(?:`{3,}|~{3,})/, "pre"],
  [/^!\[[^\]\n]*\]\([^\n]*\)\s*$/, "figure, p:has(> img:only-child)"],
];
const MOST_MEASURED = 200_000; // characters; more are only kept in proportion
const SLACK = 24; // below the last line there is room that writing there does not bring into sight
const COPIED = ["font", "letterSpacing", "tabSize", "padding", "overflowWrap"];

// Answers a function that puts the page where the text is; call it when the page has changed.
export function keepInStep(text, pane, prose) {
  let leader = text;
  let points = null;
  const forget = () => {
    points = null;
  };
  const follow = () => {
    if (room(text) <= 0 || room(pane) <= 0) return;
    points ??= measured(text, pane, prose);
    const [from, to] = leader === text ? [0, 1] : [1, 0];
    const other = leader === text ? pane : text;
    other.scrollTop = between(points, leader.scrollTop, from, to);
  };
  for (const side of [text, pane]) {
    for (const kind of ["pointerenter", "pointerdown", "wheel", "touchstart", "focusin", "keydown"]) {
      side.addEventListener(kind, () => (leader = side), { passive: true });
    }
    side.addEventListener("scroll", () => side === leader && follow(), { passive: true });
  }
  prose.addEventListener("load", forget, true); // an image that has got its height
  new ResizeObserver(forget).observe(text);
  text.addEventListener("input", () => {
    leader = text;
    forget();
  });
  return () => {
    forget();
    follow();
  };
}

function room(side) {
  return side.scrollHeight - side.clientHeight;
}

// Pairs of heights that belong together, from top to bottom.
function measured(text, pane, prose) {
  const ends = [Math.max(room(text) - SLACK, 1), room(pane)];
  const points = [[0, 0]];
  for (const pair of landmarks(text, pane, prose)) {
    if (pair.every((height, side) => height > points.at(-1)[side] && height < ends[side])) points.push(pair);
  }
  return [...points, ends];
}

function landmarks(text, pane, prose) {
  if (text.value.length > MOST_MEASURED) return [];
  const lines = linesOf(text.value);
  const found = KINDS.flatMap((kind, index) => {
    const offsets = lines.filter((line) => line.kind === index).map((line) => line.offset);
    const elements = [...prose.children].filter((child) => child.matches(kind[1]));
    return offsets.length === elements.length ? offsets.map((offset, at) => [offset, elements[at]]) : [];
  });
  found.sort((one, other) => one[0] - other[0]);
  const tops = heights(text, found.map(([offset]) => offset));
  const zero = pane.getBoundingClientRect().top - pane.scrollTop;
  return found.map(([, element], at) => [tops[at], element.getBoundingClientRect().top - zero]);
}

// Where each landmark begins, and of what kind it is; inside of listings there is none.
function linesOf(value) {
  const found = [];
  let fence = "";
  let offset = 0;
  for (const line of value.split("\n")) {
    const mark = /^ {0,3}(`{3,}|~{3,})/.exec(line)?.[1];
    if (!fence) found.push({ offset, kind: KINDS.findIndex(([pattern]) => pattern.test(line)) });
    if (fence && mark?.startsWith(fence)) fence = "";
    else if (!fence && mark) fence = mark;
    offset += line.length + 1;
  }
  return found;
}

// A text field does not tell where its lines are, so a copy of it is asked.
function heights(text, offsets) {
  const copy = document.createElement("div");
  const style = getComputedStyle(text);
  for (const name of COPIED) copy.style[name] = style[name];
  Object.assign(copy.style, { position: "absolute", visibility: "hidden", whiteSpace: "pre-wrap", boxSizing: "border-box" });
  copy.style.width = `${text.clientWidth}px`;
  const marks = offsets.map((offset, at) => {
    const mark = document.createElement("span");
    copy.append(text.value.slice(at ? offsets[at - 1] : 0, offset), mark);
    return mark;
  });
  document.body.append(copy);
  const tops = marks.map((mark) => mark.offsetTop);
  copy.remove();
  return tops;
}

function between(points, height, from, to) {
  const end = points.at(-1);
  if (height >= end[from]) return end[to] + SLACK;
  const next = Math.max(points.findIndex((point) => point[from] >= height), 1);
  const [low, high] = [points[next - 1], points[next]];
  const part = (height - low[from]) / (high[from] - low[from] || 1);
  return low[to] + part * (high[to] - low[to]);
}
