// Enter goes on with a list or a quote; Tab and Shift+Tab move an item in and out.

const LINE = /^((?:[ \t]*>[ \t]?)*)([ \t]*)(?:([-*+]|\d{1,9}[.)])([ \t]+)(\[[ xX]\][ \t]+)?)?(.*)$/;
const RULE = /^[ \t]*(?:[-*][ \t]*){3,}$/;

export function startLists(desk) {
  let leaves = false; // after Escape, Tab goes where it goes everywhere else
  desk.text.addEventListener("keydown", (event) => {
    const isPlain = !event.isComposing && !event.ctrlKey && !event.metaKey && !event.altKey;
    const act = isPlain && { Enter: !event.shiftKey && goOn, Tab: !leaves && move }[event.key];
    if (act && act(desk, event.shiftKey)) event.preventDefault();
    if (event.key !== "Shift") leaves = event.key === "Escape";
  });
}

// Each of these answers whether it did anything.

function goOn(desk) {
  const { value, start, end } = desk.selection();
  const { from, to } = desk.lines();
  const line = value.slice(from, to);
  const item = parsed(line);
  const begin = line.length - item.words.length;
  if (start !== end || !begin || start - from < begin || RULE.test(line)) return false;
  if (!item.mark && !item.quote) return false;
  if (!item.words.trim()) return ended(desk, from, to, item);
  desk.replace(start, end, `\n${item.quote}${item.indent}${next(item)}`);
  return true;
}

function next({ mark, gap, task }) {
  if (!mark) return "";
  const number = parseInt(mark, 10);
  return (Number.isNaN(number) ? mark : number + 1 + mark.at(-1)) + gap + (task ? "[ ] " : "");
}

// Enter on an empty item: one level out, and from the outermost out of the list.
function ended(desk, from, to, item) {
  if (item.mark && item.indent && move(desk, true)) return true;
  desk.replace(from, to, item.mark ? item.quote : "");
  return true;
}

function move(desk, isOut) {
  const { from, to, lines } = desk.lines();
  const { value, start, end } = desk.selection();
  const item = parsed(lines[0]);
  if (!item.mark) return false;
  const step = (isOut ? outward : inward)(value.slice(0, from), item);
  if (!step) return false;
  const moved = lines.map((line) => shifted(line, step));
  const text = moved.join("\n");
  const first = moved[0].length - lines[0].length;
  desk.replace(from, to, text, [Math.max(start + first, from), end + text.length - (to - from)]);
  return true;
}

// So far that it stands below the words of the item before it; not at all without one.
function inward(before, item) {
  const above = before.split("\n").reverse().map(parsed);
  const parent = above.find((each) => each.mark && each.indent.length <= item.indent.length);
  if (!parent || parent.indent.length < item.indent.length) return 0;
  return parent.mark.length + parent.gap.length;
}

function outward(before, item) {
  if (!item.indent) return 0;
  const above = before.split("\n").reverse().map(parsed);
  const parent = above.find((each) => each.mark && each.indent.length < item.indent.length);
  return (parent?.indent.length ?? 0) - item.indent.length;
}

function shifted(line, step) {
  const { quote, indent } = parsed(line);
  const rest = line.slice(quote.length);
  if (!rest.trim()) return line;
  return quote + (step > 0 ? " ".repeat(step) + rest : rest.slice(Math.min(-step, indent.length)));
}

function parsed(line) {
  const [, quote, indent, mark = "", gap = "", task = "", words] = LINE.exec(line);
  return { quote, indent, mark, gap, task, words };
}
