// The till by keyboard. Delegated from the document; the server renders everything, this only moves the focus.
//
//   data-fkey="F4"   a link or button that this key presses
//   data-esc         where Esc leads: the innermost one on the page
//   data-found       the list that ↓, ↑ and Enter walk
//   data-amount      on a plan: its price, which goes into the amount field; data-free: any amount

const box = () => document.getElementById("till-search");
const found = () => [...document.querySelectorAll("[data-found] a")];
const isShown = (node) => node.checkVisibility();
const isAtHand = (node) => isShown(node) || node.closest("details")?.checkVisibility();

function focusSearch({ empty = false } = {}) {
  if (empty) box().value = "";
  box().focus({ preventScroll: true });
  box().select();
}

function walk(event) {
  const links = found();
  if (!links.length) return;
  const here = links.indexOf(document.activeElement);
  if (here < 0 && document.activeElement !== box()) return;
  const next = here + (event.key === "ArrowDown" ? 1 : -1);
  event.preventDefault();
  (next < 0 ? box() : links[Math.min(next, links.length - 1)]).focus();
}

// Enter in the box opens the first of the list, if the list answers what stands in the box now. After a deed, an Enter too
// many asks for nothing: its outcome stays until something is typed.
let answered = null;
function openFirst(event) {
  const list = document.querySelector("[data-found]");
  if (event.target !== box()) return;
  if (box().value === answered) return event.preventDefault();
  if (list?.dataset.found !== box().value.trim()) return;
  event.preventDefault();
  found()[0]?.click();
}

function leave(event) {
  if (document.querySelector("dialog[open], [popover]:popover-open")) return;
  event.preventDefault();
  const ways = [...document.querySelectorAll("[data-esc]")].filter(isShown);
  const way = ways.at(-1);
  if (way) way.click();
  else if (box().value) {
    focusSearch({ empty: true });
    box().dispatchEvent(new Event("search", { bubbles: true }));
  } else focusSearch();
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.key === "ArrowDown" || event.key === "ArrowUp") return walk(event);
  if (event.key === "Enter") return openFirst(event);
  if (event.key === "Escape") return leave(event);
  const button = [...document.querySelectorAll(`[data-fkey="${CSS.escape(event.key)}"]`)].find(isAtHand);
  if (!button) return;
  event.preventDefault();
  button.click();
});

document.addEventListener("input", (event) => {
  if (event.target === box()) answered = null;
});

// A plan sets its price; another amount is no longer that plan.
const amount = () => document.getElementById("id_amount");
document.addEventListener("input", (event) => {
  const { target } = event;
  if (target.matches?.("input[name=plan]") && amount()) amount().value = target.dataset.amount ?? "";
  if (target === amount()) {
    const plan = document.querySelector("input[name=plan]:checked");
    const free = document.querySelector("input[name=plan][data-free]");
    if (plan?.dataset.amount && plan.dataset.amount !== target.value && free) free.checked = true;
  }
});

// An answer to the search that comes late must not wipe away the form that was opened meanwhile.
document.addEventListener("htmx:beforeSwap", (event) => {
  const form = document.querySelector("#desk form");
  if (event.detail.requestConfig?.elt === box() && form?.contains(document.activeElement)) event.detail.shouldSwap = false;
});

// The coupons are drawn anew for each amount; what was ticked while the answer was on its way stays ticked.
let ticked = null;
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (detail.target?.id === "coupon-offers") ticked = [...detail.target.querySelectorAll(":checked")].map((box) => box.value);
});
document.addEventListener("htmx:afterSwap", () => {
  const offers = document.getElementById("coupon-offers");
  if (!ticked || !offers) return;
  const boxes = [...offers.querySelectorAll("input[name=coupon]")];
  for (const box of boxes) box.checked = !box.disabled && ticked.includes(box.value);
  const isLess = boxes.some((box) => box.disabled && ticked.includes(box.value));
  ticked = null;
  if (isLess) document.getElementById("deed-form")?.dispatchEvent(new Event("input", { bubbles: true }));
});

// After a deed the next customer can be typed at once; inside a form the first wrong field is where to go on.
document.addEventListener("till-done", () => {
  focusSearch();
  answered = box().value;
  document.getElementById("deed-title")?.scrollIntoView({ block: "nearest" });
});
document.addEventListener("htmx:afterSettle", (event) => {
  const { target } = event.detail;
  if (target.id !== "deed" && target.id !== "desk") return;
  if (document.activeElement === box() && target.id === "desk" && !target.querySelector("form")) return;
  const first = whereToGoOn(target);
  if (first) first.focus();
  else focusSearch();
});

// The same when the form came as a page of its own: from another page, after a reload or the log-in.
whereToGoOn(document.getElementById("desk"))?.focus();

function whereToGoOn(part) {
  const form = part.querySelector("#deed-form");
  return part.querySelector("[aria-invalid=true]") ?? part.querySelector("[autofocus]") ?? form?.querySelector("input:not([type=hidden])");
}
