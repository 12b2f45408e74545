// The composer and the run page. The server renders everything; this keeps what is typed, and moves the focus.
//
//   data-insert            a placeholder chip: goes into the text of its [data-insert-into] at the cursor
//   data-fix, -fix-into    a better wording for that text
//   data-show              a dialog that opens when it is swapped in
//   data-discards          a link that leaves without asking about unsaved typing

const plan = () => document.getElementById("plan");
const words = () => document.getElementById("plan-texts")?.dataset ?? {};
const state = () => document.getElementById("save-state");
const RETRY_MS = 5000;

// What is typed and what is saved --------------------------------------------------------------------------------
let typed = 0; // counts edits
let sent = 0; // the edits that the request under way carries
let saved = 0; // the edits the server has
let retry;

function say(text, tone = "") {
  const place = state();
  if (!place || place.hasAttribute("data-unsaved")) return;
  place.textContent = text;
  place.dataset.tone = tone;
  if (tone === "bad") place.setAttribute("role", "alert");
}

function saveAgain() {
  clearTimeout(retry);
  if (plan() && saved < typed) plan().dispatchEvent(new Event("save-now"));
}

function notSaved(text) {
  say(text, "bad");
  clearTimeout(retry);
  retry = setTimeout(saveAgain, RETRY_MS);
}

document.addEventListener("input", (event) => {
  if (!event.target.form || event.target.form !== plan()) return;
  typed += 1;
  if (navigator.onLine) say(words().waiting);
});

// Every request that carries the plan counts, whichever button sent it.
const carriesPlan = (event) => {
  const { elt } = event.detail;
  return Boolean(plan()) && (elt === plan() || elt.getAttribute?.("hx-include") === "#plan");
};

document.addEventListener("htmx:beforeRequest", (event) => {
  if (!carriesPlan(event)) return;
  sent = typed;
  say(words().saving);
});

document.addEventListener("htmx:afterRequest", (event) => {
  if (!carriesPlan(event) || !event.detail.successful) return;
  clearTimeout(retry);
  if (!event.detail.xhr.getResponseHeader("HX-Retarget")?.includes("save-state")) saved = sent;
});

// On the way up to the shell's own listener, which would leave a toast for each try.
for (const name of ["htmx:sendError", "htmx:timeout", "htmx:responseError"]) {
  document.body.addEventListener(name, (event) => {
    if (event.detail.elt !== plan()) return;
    const status = event.detail.xhr?.status ?? 0;
    if (name === "htmx:responseError" && status < 500) return;
    event.stopPropagation();
    notSaved(status ? words().failed : words().offline);
  });
}
addEventListener("online", saveAgain);
addEventListener("offline", () => plan() && saved < typed && say(words().offline, "bad"));

let leavesGladly = false;
addEventListener("beforeunload", (event) => {
  if (plan() && saved < typed && !leavesGladly) event.preventDefault();
});

// Chips and fixes ------------------------------------------------------------------------------------------------
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
  if (event.target.closest?.("[data-discards]")) leavesGladly = true;
});

// A click leaves a text area before the chip is pressed; where the cursor stood is kept by the browser, unless it
// never stood anywhere: then the placeholder goes to the end.
for (const field of document.querySelectorAll("[data-insert-into] textarea")) {
  field.setSelectionRange(field.value.length, field.value.length);
}

// After a swap ---------------------------------------------------------------------------------------------------
function markWrong() {
  for (const place of document.querySelectorAll("#plan .errorlist")) {
    const name = place.id.replace(/^error-/, "");
    const isWrong = place.childElementCount > 0;
    for (const field of document.querySelectorAll(`#plan [name="${CSS.escape(name)}"]`)) {
      if (isWrong) field.setAttribute("aria-invalid", "true");
      else field.removeAttribute("aria-invalid");
    }
  }
}

document.addEventListener("htmx:afterSettle", () => {
  if (plan()) markWrong();
});

document.addEventListener("htmx:afterSwap", (event) => {
  const dialog = event.detail.target.id === "dialog-room" && event.detail.target.querySelector("dialog[data-show]");
  if (dialog) dialog.showModal();
});

// A refusal is shown where it belongs; the way leads there.
document.addEventListener("plan-refused", (event) => {
  const slot = document.getElementById(`error-${event.detail.slot}`);
  const field = document.querySelector(`#plan [name="${CSS.escape(event.detail.slot)}"]`);
  if (field?.checkVisibility()) field.focus();
  slot?.scrollIntoView({ block: "center", behavior: "smooth" });
});

// The live part of a run is swapped under the reader: a focused link is found again by where it leads.
let followed = null;
document.addEventListener("htmx:beforeSwap", (event) => {
  const here = document.activeElement;
  followed = event.detail.target.id === "run-live" && event.detail.target.contains(here) ? here.getAttribute("href") : null;
});
document.addEventListener("htmx:afterSettle", () => {
  if (!followed) return;
  document.querySelector(`#run-live a[href="${CSS.escape(followed)}"]`)?.focus({ preventScroll: true });
  followed = null;
});

if (plan()) markWrong();
