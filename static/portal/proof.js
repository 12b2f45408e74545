// Proof of work: finds n so that SHA-256 of "challenge:n" begins with so many zero bits, then sends the form.
// Plain SHA-256, since a shop's own network may have no TLS and then crypto.subtle is not there. Works in slices, so
// that the page stays alive.
const SLICE_MS = 20;
const K = new Uint32Array(64);
const START = new Uint32Array(8);

(function constants() {
  // fractional parts of the roots of the first primes
  const part = (x) => ((x - Math.floor(x)) * 0x100000000) | 0;
  for (let n = 2, found = 0; found < 64; n++) {
    let isPrime = true;
    for (let d = 2; d * d <= n; d++) if (n % d === 0) isPrime = false;
    if (!isPrime) continue;
    if (found < 8) START[found] = part(Math.sqrt(n));
    K[found++] = part(Math.cbrt(n));
  }
})();

const w = new Uint32Array(64);

function compress(state, block, offset) {
  for (let i = 0; i < 16; i++) {
    const j = offset + i * 4;
    w[i] = (block[j] << 24) | (block[j + 1] << 16) | (block[j + 2] << 8) | block[j + 3];
  }
  for (let i = 16; i < 64; i++) {
    const x = w[i - 15], y = w[i - 2];
    const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
    const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
    w[i] = w[i - 16] + s0 + w[i - 7] + s1;
  }
  let [a, b, c, d, e, f, g, h] = state;
  for (let i = 0; i < 64; i++) {
    const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + K[i] + w[i]) | 0;
    const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g; g = f; f = e; e = (d + t1) | 0; d = c; c = b; b = a; a = (t1 + t2) | 0;
  }
  const add = [a, b, c, d, e, f, g, h];
  for (let i = 0; i < 8; i++) state[i] += add[i];
}

// The digest's first 32 bits.
export function head(text) {
  const bytes = new TextEncoder().encode(text);
  const padded = new Uint8Array(((bytes.length + 8) >> 6) * 64 + 64);
  padded.set(bytes);
  padded[bytes.length] = 0x80;
  new DataView(padded.buffer).setUint32(padded.length - 4, bytes.length * 8);
  const state = Uint32Array.from(START);
  for (let offset = 0; offset < padded.length; offset += 64) compress(state, padded, offset);
  return state[0];
}

export function work(challenge, bits, done) {
  let n = 0;
  const slice = () => {
    const until = performance.now() + SLICE_MS;
    while (performance.now() < until) {
      for (let i = 0; i < 200; i++, n++) {
        if (head(`${challenge}:${n}`) >>> (32 - bits) === 0) return done(`${challenge}:${n}`);
      }
    }
    setTimeout(slice);
  };
  slice();
}

const form = document.querySelector("form[data-proof]");
if (form) {
  work(form.dataset.proof, Number(form.dataset.proofBits), (proof) => {
    const field = document.createElement("input");
    Object.assign(field, { type: "hidden", name: "proof", value: proof });
    form.append(field);
    form.requestSubmit();
  });
}
