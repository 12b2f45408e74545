// The text editor and the review desk. The server renders everything; this puts chips and fixes into the field, and
// moves by key.
//
//   data-insert            a placeholder chip: goes into the text of its [data-insert-into] at the cursor
//   data-fix, -fix-into    a better wording for that text
//   data-class             another class for a new text
//   data-key               one letter, pressed outside a field: a link is followed, anything else gets the focus
//   data-queue             the rows of the desk: J and K move between them

function put(field, text, { everything = false } = {}) {
  const [start, end] = everything ? [0, field.value.length] : [field.selectionStart, field.selectionEnd];
  field.focus();
  field.setRangeText(text, start, end, "end");
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

document.addEventListener("click", (event) => {
  const chip = event.target.closest?.("[data-insert]");
  const into = chip?.closest("[data-insert-into]");
  if (into) put(document.getElementById(into.dataset.insertInto), chip.dataset.insert);
  const fix = event.target.closest?.("[data-fix]");
  if (fix) put(document.getElementById(fix.dataset.fixInto), fix.dataset.fix, { everything: true });
  const other = event.target.closest?.("[data-class]");
  if (!other) return;
  const choice = document.getElementById("id_message_class");
  choice.value = other.dataset.class;
  choice.dispatchEvent(new Event("input", { bubbles: true }));
});

for (const field of document.querySelectorAll("[data-insert-into] textarea")) {
  field.setSelectionRange(field.value.length, field.value.length);
}

const isTyping = (element) => Boolean(element.closest?.("input, textarea, select, [contenteditable]"));

function follow(element) {
  if (element instanceof HTMLAnchorElement) element.click();
  else element.focus();
}

document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) document.getElementById("text-form")?.requestSubmit();
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
  const key = event.key.toLowerCase();
  const found = /^[a-z]$/.test(key) && document.querySelector(`[data-key="${key}"]`);
  if (found) {
    event.preventDefault();
    follow(found);
    return;
  }
  const rows = [...document.querySelectorAll("[data-queue]")];
  if (!rows.length || (key !== "j" && key !== "k")) return;
  const here = rows.indexOf(document.activeElement);
  rows[Math.min(rows.length - 1, Math.max(0, here + (key === "j" ? 1 : -1)))].focus();
});
