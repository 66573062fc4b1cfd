// What each button of the toolbar does to the text.

import { said } from "./words.js";

export const TOOLS = {
  bold: (desk) => wrap(desk, "**"),
  italic: (desk) => wrap(desk, "*"),
  strike: (desk) => wrap(desk, "~~"),
  formula: (desk) => wrap(desk, "$"),
  heading: (desk) => changeLines(desk, nextHeading),
  quote: (desk) => toggleLines(desk, /^> ?/, () => "> "),
  list: (desk) => toggleLines(desk, /^([-*+]) (?!\[[ xX]\] )/, () => "- "),
  numbers: (desk) => toggleLines(desk, /^\d{1,9}[.)] /, (number) => `${number}. `),
  tasks: (desk) => toggleLines(desk, /^[-*+] \[[ xX]\] /, () => "- [ ] "),
  callout: (desk) => putBlock(desk, "> [!NOTE]\n> ", 12),
  rule: (desk) => putBlock(desk, "---\n\n", 5),
  table,
  code,
  link,
  note,
  image: (desk) => desk.form.dispatchEvent(new CustomEvent("inkstand:choose-image")),
};

// Marks stand close to the words: Markdown does not see `** this **`.
function wrap(desk, mark) {
  let { value, start, end } = desk.selection();
  while (start < end && /\s/.test(value[start])) start += 1;
  while (end > start && /\s/.test(value[end - 1])) end -= 1;
  const inside = value.slice(start, end);
  const size = mark.length;
  if (stands(value, start - size, mark) && stands(value, end, mark)) {
    desk.replace(start - size, end + size, inside, [start - size, end - size]);
  } else if (inside.length >= 2 * size && inside.startsWith(mark) && inside.endsWith(mark)) {
    desk.replace(start, end, inside.slice(size, -size), [start, end - 2 * size]);
  } else {
    desk.replace(start, end, mark + inside + mark, [start + size, end + size]);
  }
}

// Whether this very mark stands there, and not part of a longer one: `**` is no `*`.
function stands(value, at, mark) {
  const [sign, size] = [mark[0], mark.length];
  if (at < 0 || value.slice(at, at + size) !== mark) return false;
  let [from, to] = [at, at + size];
  while (value[from - 1] === sign) from -= 1;
  while (value[to] === sign) to += 1;
  return to - from === size || to - from === 3; // three are both
}

// The title of the page is the first heading, so these begin with the second, then the third.
function nextHeading(line) {
  const [mark] = /^#{0,6} +|/.exec(line);
  const words = line.slice(mark.length);
  const level = mark.trim().length;
  return level < 2 ? `## ${words}` : level === 2 ? `### ${words}` : words;
}

function changeLines(desk, change) {
  const { from, to, lines } = desk.lines();
  const { start, end } = desk.selection();
  const changed = lines.map(change);
  const text = changed.join("\n");
  const shift = changed[0].length - lines[0].length;
  const whole = [from, from + text.length];
  const caret = Math.max(start + shift, from);
  desk.replace(from, to, text, start === end ? [caret, caret] : whole);
}

const ANY_MARK = /^(?:[-*+] (?:\[[ xX]\] )?|\d{1,9}[.)] )/;

// Take the mark from all lines if all have it, else give it to those that are not empty.
function toggleLines(desk, mark, make) {
  const { lines } = desk.lines();
  const written = lines.filter((line) => line.trim());
  const remove = written.length > 0 && written.every((line) => mark.test(line.trimStart()));
  let number = 0;
  changeLines(desk, (line) => {
    if (!line.trim() && lines.length > 1) return line;
    const [, indent, words] = /^(\s*)(.*)$/.exec(line);
    number += 1;
    if (remove) return indent + words.replace(mark, "");
    const bare = make(1) === "> " ? words : words.replace(ANY_MARK, "");
    return indent + make(number) + bare;
  });
}

// A block of its own, after what is selected, with empty lines around it.
function putBlock(desk, block, from = block.length, to = from) {
  const { value, end } = desk.selection();
  const before = value.slice(0, end);
  const after = value.slice(end);
  const above = !before || before.endsWith("\n\n") ? "" : before.endsWith("\n") ? "\n" : "\n\n";
  const below = !after || block.endsWith("\n\n") || after.startsWith("\n\n") ? "" : after.startsWith("\n") ? "\n" : "\n\n";
  const at = end + above.length;
  desk.replace(end, end, above + block + below, [at + from, at + to]);
}

function table(desk) {
  const first = said("firstColumn");
  const block = `| ${first} | ${said("secondColumn")} |\n| --- | --- |\n|     |     |`;
  putBlock(desk, block, 2, 2 + first.length);
}

function code(desk) {
  const { value, start, end } = desk.selection();
  const inside = value.slice(start, end);
  const { from, to } = desk.lines();
  const isBlock = inside.includes("\n") || (start === end && !value.slice(from, to).trim());
  if (!isBlock) return inside.includes("`") ? wrapSpaced(desk, start, end, inside) : wrap(desk, "`");
  const fence = "`".repeat(Math.max(3, longest(inside) + 1));
  if (start === end) return putBlock(desk, `${fence}\n\n${fence}`, fence.length + 1);
  const text = `${fence}\n${value.slice(from, to)}\n${fence}`;
  return desk.replace(from, to, text, [from + fence.length, from + fence.length]);
}

// Code that has backticks itself needs more of them around it (CommonMark, 6.1).
function wrapSpaced(desk, start, end, inside) {
  const mark = "`".repeat(longest(inside) + 1);
  const at = start + mark.length + 1;
  desk.replace(start, end, `${mark} ${inside} ${mark}`, [at, at + inside.length]);
}

function longest(text) {
  return (text.match(/`+/g) ?? []).reduce((most, run) => Math.max(most, run.length), 0);
}

export const ADDRESS = /^https?:\/\/\S+$/i;

function link(desk) {
  const { value, start, end } = desk.selection();
  const inside = value.slice(start, end);
  if (ADDRESS.test(inside)) return desk.replace(start, end, `[](${inside})`, [start + 1, start + 1]);
  const at = start + inside.length + 3;
  return desk.replace(start, end, `[${inside}](https://)`, inside ? [at, at + 8] : [start + 1, start + 1]);
}

// The sign where one writes, the note itself at the end: one step to undo.
function note(desk) {
  const { value, end } = desk.selection();
  const numbers = value.match(/\[\^\d{1,6}\]/g) ?? [];
  const sign = `[^${numbers.reduce((most, each) => Math.max(most, Number(each.slice(2, -1))), 0) + 1}]`;
  const rest = value.slice(end).trimEnd();
  const gap = /^\[\^[^\]]+\]:[^\n]*$/.test(rest.split("\n").at(-1)) ? "\n" : "\n\n";
  desk.replace(end, value.length, `${sign}${rest}${gap}${sign}: `);
}
