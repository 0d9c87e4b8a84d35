// What the pages do beyond HTML: partial updates (htmx), live streams, two dialogs by key. Everything works without it too.
import htmx from "htmx.org";
import "htmx.org/dist/ext/hx-sse.js";

htmx.config.noSwap = [204, 304, "5xx"];
// A live update leaves open what its reader has opened: they may be typing in it.
htmx.config.morphIgnore = ["data-htmx-powered", "open"];
document.documentElement.classList.add("scripted");

const open = (id) => {
  const dialog = document.getElementById(id);
  if (!dialog || dialog.open) return;
  dialog.showModal();
  dialog.querySelector("[data-starts]")?.focus();
};

const SAVES = "[aria-keyshortcuts='Control+S']";
const isTyping = (target) => target.closest("input, textarea, select, [contenteditable]") !== null;

document.addEventListener("keydown", (event) => {
  if (event.key === "?" && !isTyping(event.target)) {
    event.preventDefault();
    open("shortcuts");
  } else if (event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey) && document.getElementById("jump")) {
    event.preventDefault();
    open("jump");
  } else if (event.key.toLowerCase() === "s" && (event.ctrlKey || event.metaKey) && document.querySelector(SAVES)) {
    event.preventDefault();
    document.querySelector(SAVES).click();
  } else if (event.key === "Escape") {
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  }
});

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-opens]");
  if (opener) open(opener.dataset.opens);
  if (event.target.closest("[data-closes]")) event.target.closest("dialog").close();
  if (event.target.closest("[data-dismisses]")) event.target.closest(".notice").remove();
  if (event.target.matches("dialog")) event.target.close();
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});

// The jump dialog: what is typed narrows the list, Enter follows the first line that is left.
document.addEventListener("input", (event) => {
  if (!event.target.matches("[data-narrows]")) return;
  const words = event.target.value.toLocaleLowerCase().split(/\s+/).filter(Boolean);
  for (const line of document.querySelectorAll(`#${event.target.dataset.narrows} li`)) {
    const text = line.textContent.toLocaleLowerCase();
    line.hidden = !words.every((word) => text.includes(word));
  }
});

document.addEventListener("submit", (event) => {
  if (!event.target.matches("[data-jumps]")) return;
  event.preventDefault();
  event.target.closest("dialog").querySelector(".jump-list li:not([hidden]) a")?.click();
});

// An error summary takes focus, on the first paint and after a swap: a screen reader starts where the trouble is.
const focusSummary = (root) => root.querySelector?.("[data-takes-focus]")?.focus();
document.addEventListener("DOMContentLoaded", () => focusSummary(document));
document.addEventListener("htmx:after:swap", (event) => focusSummary(event.target));

// A live page says so when it is not: the note shows while the stream is down and goes when it is back.
const streamNote = (hidden) => {
  for (const note of document.querySelectorAll("[data-stream-note]")) note.hidden = hidden;
};
document.addEventListener("htmx:sse:error", () => streamNote(false));
document.addEventListener("htmx:sse:after:connection", () => streamNote(true));

// The studio: a line that is named leads there; the source has the numbers of its lines beside it.
const scrollTo = (source, line) => {
  source.scrollTop = Math.max(0, (line - 4) * (source.scrollHeight / source.value.split("\n").length));
  source.scrollLeft = 0;
};

const toLine = (source, line) => {
  const lines = source.value.split("\n");
  const start = lines.slice(0, line - 1).reduce((sum, each) => sum + each.length + 1, 0);
  source.focus({ preventScroll: true });
  source.setSelectionRange(start, start + (lines[line - 1] ?? "").length);
  scrollTo(source, line);
};

const number = (source) => {
  const numbers = document.getElementById(source.dataset.numbers);
  const count = source.value.split("\n").length;
  if (Number(numbers.dataset.count) !== count) {
    numbers.textContent = Array.from({ length: count }, (_, index) => index + 1).join("\n");
    numbers.dataset.count = count;
  }
  numbers.scrollTop = source.scrollTop;
};

const numberAll = () => document.querySelectorAll("[data-numbers]").forEach(number);
document.addEventListener("DOMContentLoaded", () => {
  for (const source of document.querySelectorAll("[data-shows]")) scrollTo(source, Number(source.dataset.shows));
  numberAll();
});
document.addEventListener("htmx:after:swap", numberAll);
document.addEventListener("input", (event) => event.target.matches("[data-numbers]") && number(event.target));
document.addEventListener("scroll", (event) => event.target.matches?.("[data-numbers]") && number(event.target), true);
document.addEventListener("click", (event) => {
  const named = event.target.closest("[data-line]");
  const source = document.querySelector("[data-numbers]");
  if (named?.type === "submit" && source) scrollTo(source, Number(named.dataset.line));
  else if (named && source) toLine(source, Number(named.dataset.line));
});
