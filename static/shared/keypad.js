// The till's keypad: types into the amount field named by data-keypad="id". The field stays an ordinary text field, so
// the keyboard, a scanner and a screen reader work on it as well; the server alone decides what amount is meant. Who has
// a keyboard types into the field: Tab passes the fourteen keys by.
//
//   <div data-keypad="id_amount" data-exponent="2">
//     <button type="button" data-key="7">  digits, "00", "."
//     <button type="button" data-key="back" | "clear">
//     <button type="button" data-set="500">  a whole amount at once

const DIGITS_MAX = 9; // 1e9 minor units is the most one deed may move

function typed(value, key, exponent) {
  if (key === "clear") return "";
  if (key === "back") return value.slice(0, -1);
  if (key === ".") return exponent === 0 || value.includes(".") ? value : `${value || "0"}.`;
  const next = value === "0" ? key.replace(/^0+(?=.)/, "") : value + key;
  const [whole, cents = ""] = next.split(".");
  const isTooLong = cents.length > exponent || (whole + cents).length > DIGITS_MAX;
  if (isTooLong) return key === "00" ? typed(value, "0", exponent) : value;
  return /^0+$/.test(next) ? "0" : next;
}

function press(pad, button) {
  const field = document.getElementById(pad.dataset.keypad);
  if (!field || field.disabled || field.readOnly) return;
  const exponent = Number(pad.dataset.exponent ?? 2);
  const value = button.dataset.set ?? typed(field.value, button.dataset.key, exponent);
  if (value === field.value) return;
  field.value = value;
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-keypad] :is([data-key], [data-set])");
  if (button) press(button.closest("[data-keypad]"), button);
});

// The key cap goes down with the keyboard's key, so both ways of typing look the same.
const capOf = (event) => {
  const name = { Backspace: "back", Delete: "clear", ",": "." }[event.key] ?? event.key;
  const pad = document.querySelector(`[data-keypad="${CSS.escape(event.target.id ?? "")}"]`);
  return event.target.id ? pad?.querySelector(`[data-key="${CSS.escape(name)}"]`) : null;
};
for (const name of ["keydown", "keyup"]) {
  document.addEventListener(name, (event) => capOf(event)?.classList.toggle("is-down", name === "keydown"));
}

// On a touch screen the keypad replaces the screen keyboard, which would cover it.
if (matchMedia("(pointer: coarse)").matches) {
  document.addEventListener("focusin", (event) => {
    const isPadded = event.target.id && document.querySelector(`[data-keypad="${CSS.escape(event.target.id)}"]`);
    if (isPadded) event.target.inputMode = "none";
  });
}
