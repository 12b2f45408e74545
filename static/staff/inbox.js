// The inbox: an answer at hand goes into the field, to be read before it is sent; the newest text is in sight.
document.addEventListener("click", (event) => {
  const chip = event.target.closest("[data-canned]");
  if (!chip) return;
  const field = document.getElementById(chip.dataset.cannedFor);
  field.value = chip.dataset.canned;
  field.focus();
});

const toEnd = () => {
  const thread = document.getElementById("inbox-thread");
  if (thread) thread.scrollTop = thread.scrollHeight;
};
toEnd();
let wasAtEnd = true;
document.addEventListener("htmx:beforeSwap", () => {
  const thread = document.getElementById("inbox-thread");
  wasAtEnd = !thread || thread.scrollHeight - thread.scrollTop - thread.clientHeight < 40;
});
document.addEventListener("htmx:afterSwap", () => wasAtEnd && toEnd());
