const patience = Number(process.env.LATHE_E2E_PATIENCE ?? "1");

/** The first true value of `look()`; an error that says what was waited for when there is none in time. */
export async function waitFor(look, what, detail = () => "", seconds = 20) {
  const deadline = Date.now() + 1_000 * seconds * patience;
  for (;;) {
    const value = await look();
    if (value) return value;
    if (Date.now() > deadline) throw new Error(`${what}: not within ${seconds * patience} s. ${detail() ?? ""}`);
    await new Promise((done) => setTimeout(done, 50));
  }
}

export const timeout = 15_000 * patience;
