// Where the browser can (WebOTP), the code is filled in from the text itself and the form is sent.
const field = document.querySelector("input[autocomplete=one-time-code]");

if (field && "OTPCredential" in window) {
  const waiting = new AbortController();
  field.form.addEventListener("submit", () => waiting.abort());
  navigator.credentials
    .get({ otp: { transport: ["sms"] }, signal: waiting.signal })
    .then((told) => {
      field.value = told.code;
      field.form.requestSubmit();
    })
    .catch(() => {}); // nobody came, or the person typed faster
}
