// The shell's behaviour. Everything is delegated from the document, so parts swapped in by htmx need no set-up.
//
//   data-search            the box that `/` focuses
//   data-theme-toggle      a button that walks system → light → dark
//   data-opens="id"        a button that opens that <dialog>; data-closes closes the one around it
//   data-autosubmit        a select or switch that submits its form when changed
//   data-once              a form that takes effect once (see "Once" below)
//   data-print, data-copy  print the page; copy data-copy's text
//   toast                  htmx event: HX-Trigger: {"toast": {"text": "Saved", "tone": "good"}}
//
// Texts come translated from the page: <template id="shell-texts" data-dropped=… data-busy=…>.

const texts = () => document.getElementById("shell-texts")?.dataset ?? {};
const isTyping = (node) => node.matches?.("input, textarea, select, [contenteditable]");

// Theme -------------------------------------------------------------------------------------------------------
const themes = ["system", "light", "dark"];
const currentTheme = () => document.documentElement.dataset.theme ?? "system";

function showTheme() {
  for (const button of document.querySelectorAll("[data-theme-toggle]")) {
    const theme = currentTheme();
    for (const face of button.querySelectorAll("[data-theme-face]")) face.hidden = face.dataset.themeFace !== theme;
  }
}

function nextTheme() {
  const theme = themes[(themes.indexOf(currentTheme()) + 1) % themes.length];
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  try {
    localStorage.setItem("regulars-theme", theme);
  } catch {
    // The choice then holds for this page only.
  }
  showTheme();
}

// Toasts ------------------------------------------------------------------------------------------------------
const SHOWN_FOR_MS = 6000;

export function toast(text, tone = "plain") {
  const model = document.getElementById("toast-model");
  const place = document.getElementById("toasts");
  if (!model || !place) return;
  const node = model.content.firstElementChild.cloneNode(true);
  node.classList.add(`tone-${/^(plain|brand|good|move|wait|bad)$/.test(tone) ? tone : "plain"}`);
  node.querySelector("p").textContent = text;
  place.append(node);
  keepWhileRead(node, tone);
}

// A bad message stays until it is closed; any other leaves by itself unless someone is on it.
function keepWhileRead(node, tone) {
  if (tone === "bad") return;
  const leave = () => (node.matches(":hover, :focus-within") ? setTimeout(leave, 1500) : node.remove());
  setTimeout(leave, SHOWN_FOR_MS);
}

// Once --------------------------------------------------------------------------------------------------------
// A data-once form carries one idempotency key in a hidden field. While it is on its way its buttons are off; a lost
// answer turns them on again WITH THE SAME KEY, so trying again can never charge twice.
const submitButtons = (form) => [...form.elements].filter((part) => part.type === "submit");

function hold(form, submitter) {
  form.dataset.busy = "1";
  submitter?.setAttribute("aria-busy", "true");
  // After this turn of the loop: a disabled button's own name and value would not be sent.
  setTimeout(() => submitButtons(form).forEach((button) => (button.disabled = form.dataset.busy === "1")));
}

function release(form) {
  delete form.dataset.busy;
  for (const button of submitButtons(form)) {
    button.disabled = false;
    button.removeAttribute("aria-busy");
  }
}

function tellDropped(form) {
  release(form);
  const place = form.querySelector("[data-dropped]") ?? form.appendChild(droppedNotice());
  place.hidden = false;
  place.tabIndex = -1;
  place.focus();
}

function droppedNotice() {
  const notice = document.getElementById("dropped-model").content.firstElementChild.cloneNode(true);
  notice.dataset.dropped = "";
  return notice;
}

function guardSubmit(event) {
  const form = event.target;
  if (!form.matches("form[data-once]")) return;
  if (form.dataset.busy) {
    event.preventDefault();
    event.stopImmediatePropagation();
    return;
  }
  if (!navigator.onLine) {
    event.preventDefault();
    event.stopImmediatePropagation();
    tellDropped(form);
    return;
  }
  form.querySelector("[data-dropped]")?.setAttribute("hidden", "");
  hold(form, event.submitter);
}

// The form stays as it is, with its key: after the log-in in another window the same button goes on from here.
function tellLoggedOut(form) {
  if (form) release(form);
  const dialog = document.getElementById("logged-out");
  if (dialog && !dialog.open) dialog.showModal();
}

// A log-in changes the token; a page that was open before it sends the one that is good now.
document.addEventListener("htmx:configRequest", ({ detail }) => {
  const token = /(?:^|; )regulars_csrf=([^;]+)/.exec(document.cookie)?.[1];
  if (!token) return;
  detail.headers["X-CSRFToken"] = token;
  if (detail.parameters.csrfmiddlewaretoken) detail.parameters.csrfmiddlewaretoken = token;
});

const onceFormOf = (event) => event.detail?.elt?.closest?.("form[data-once]");

// Lists on a phone -----------------------------------------------------------------------------------------------
// A list's row becomes a card there (parts.css): each cell carries its header's words, and says what it is.
function labelCells(root) {
  for (const table of root.querySelectorAll?.(".table--cards") ?? []) {
    const labels = [...table.querySelectorAll("thead tr:last-child > *")].map((cell) => cell.textContent.trim());
    table.setAttribute("role", "table");
    for (const part of table.querySelectorAll("thead, tbody, tfoot")) part.setAttribute("role", "rowgroup");
    for (const row of table.rows) {
      row.setAttribute("role", "row");
      let place = 0;
      for (const cell of row.cells) {
        const isHeader = cell.tagName === "TH";
        cell.setAttribute("role", isHeader ? (cell.scope === "row" ? "rowheader" : "columnheader") : "cell");
        if (!isHeader && labels[place] && cell.colSpan === 1) cell.dataset.label = labels[place];
        place += cell.colSpan;
      }
    }
  }
}
document.addEventListener("htmx:afterSwap", (event) => labelCells(event.detail.target.parentElement ?? document));
labelCells(document);

// Wiring ------------------------------------------------------------------------------------------------------
// Capture: before htmx, which listens on the form itself.
document.addEventListener("submit", guardSubmit, true);
// The server judges what was typed and says it beside the field, in the reader's language; the browser's own bubble
// does neither. Only a form of our own writing that marks a field as required keeps it.
document.addEventListener(
  "click",
  (event) => {
    const form = event.target.closest?.("button, input[type=submit]")?.form;
    if (form && !form.querySelector("[required]")) form.noValidate = true;
  },
  true,
);
for (const name of ["htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(name, (event) => {
    const form = onceFormOf(event);
    if (form) tellDropped(form);
    else toast(texts().offline, "bad");
  });
}
document.addEventListener("htmx:responseError", (event) => {
  const form = onceFormOf(event);
  const status = event.detail.xhr.status;
  if (status === 401) return tellLoggedOut(form);
  // A gateway that gave up (502–504) leaves the outcome as open as a cut line: same key, try again.
  if (form && status >= 502 && status <= 504) return tellDropped(form);
  if (form) release(form);
  toast(status === 403 || status === 404 ? texts().refused : texts().failed, "bad");
});
document.addEventListener("htmx:afterRequest", (event) => {
  const form = onceFormOf(event);
  const isLeaving = event.detail.xhr?.getResponseHeader("HX-Redirect") || event.detail.xhr?.getResponseHeader("HX-Location");
  if (form && event.detail.successful && !isLeaving) release(form);
});
// Validation that htmx stops before sending, and a page that comes back from the browser's cache.
document.addEventListener("htmx:validation:halted", (event) => onceFormOf(event) && release(onceFormOf(event)));
addEventListener("pageshow", (event) => {
  if (event.persisted) document.querySelectorAll("form[data-once][data-busy]").forEach(release);
});

document.addEventListener("toast", (event) => toast(event.detail.text ?? event.detail.value, event.detail.tone));

document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
  const box = [...document.querySelectorAll("[data-search]")].find((node) => node.checkVisibility());
  if (!box) return;
  event.preventDefault();
  box.focus();
  box.select();
});

document.addEventListener("change", (event) => {
  if (event.target.matches("[data-autosubmit]")) event.target.form.requestSubmit();
});

const deeds = {
  "[data-theme-toggle]": nextTheme,
  "[data-toast-close]": (button) => button.closest(".toast").remove(),
  "[data-opens]": (button) => document.getElementById(button.dataset.opens)?.showModal(),
  "[data-closes]": (button) => button.closest("dialog")?.close(),
  "[data-print]": () => print(),
  "[data-copy]": (button) => navigator.clipboard.writeText(button.dataset.copy).then(() => toast(texts().copied, "good")),
};

document.addEventListener("click", (event) => {
  for (const [selector, deed] of Object.entries(deeds)) {
    const button = event.target.closest?.(selector);
    if (button) deed(button);
  }
  // A click on the backdrop has the dialog itself as target.
  if (event.target.matches?.("dialog.dialog[open]") && !isInside(event.target, event)) event.target.close();
});

function isInside(node, { clientX, clientY }) {
  const box = node.getBoundingClientRect();
  return clientX >= box.left && clientX <= box.right && clientY >= box.top && clientY <= box.bottom;
}

document.querySelectorAll("#toasts .toast").forEach((node) => keepWhileRead(node, node.classList.contains("tone-bad") ? "bad" : ""));
// A page that came in two pieces was scrolled to its first field while it was still too short to scroll that far.
document.querySelector("[autofocus]:focus")?.scrollIntoView({ block: "nearest" });

// A form that comes back refused: go on at the first field that is wrong.
document.querySelector("main [aria-invalid=true]")?.focus();

// On a phone the tabs scroll sideways: the one you are on is in sight.
for (const tab of document.querySelectorAll(".tabs > [aria-current]")) {
  const row = tab.parentElement;
  row.scrollLeft = tab.offsetLeft - row.offsetLeft - (row.clientWidth - tab.offsetWidth) / 2;
}
// On a low screen the rail scrolls too.
const place = document.querySelector(".rail__list [aria-current]");
if (place) {
  const list = place.closest(".rail__list");
  list.scrollTop = place.offsetTop - list.offsetTop - list.clientHeight / 2;
}
showTheme();
