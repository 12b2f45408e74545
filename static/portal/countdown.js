// A button that rests for some seconds: <button data-countdown="42" data-waiting="Again in {seconds} s">. Without
// this script the button works at once, and the server says how long to wait.
const SHOWN_UP_TO_SECONDS = 600;

for (const button of document.querySelectorAll("[data-countdown]")) {
  const text = button.querySelector("[data-countdown-text]");
  const ready = text.textContent;
  const end = Date.now() + Number(button.dataset.countdown) * 1000;

  const tick = () => {
    const seconds = Math.ceil((end - Date.now()) / 1000);
    button.disabled = seconds > 0;
    text.textContent = seconds > 0 && seconds <= SHOWN_UP_TO_SECONDS ? button.dataset.waiting.replace("{seconds}", seconds) : ready;
    if (seconds > 0) setTimeout(tick, 250);
  };
  tick();
}
