// The token that the daemon may ask for. It lives in the tab's sessionStorage and goes out in a header alone: no address
// and no cookie ever has it, so that no other site can make the browser use it.
import { h } from "./dom.js";

const place = "lathe-token";
let question = null;

const authorization = () => {
  const token = sessionStorage.getItem(place);
  return token ? { Authorization: `Bearer ${token}` } : {};
};

/** Shows the form and resolves once a token was given. All who ask meanwhile wait for the same one. */
function askForToken(reason) {
  question ??= new Promise((resolve) => {
    const input = h("input", { type: "password", autocomplete: "off", "aria-label": "Token", required: true });
    const dialog = h("dialog", { class: "card" });
    const take = (event) => {
      event.preventDefault();
      sessionStorage.setItem(place, input.value.trim());
      dialog.remove();
      question = null;
      resolve();
    };
    dialog.append(h("form", { onsubmit: take }, h("h2", {}, "This daemon needs a token"), h("p", { class: "soft" }, reason),
      h("div", { class: "row" }, input, h("button", { type: "submit" }, "Continue"))));
    dialog.addEventListener("cancel", (event) => event.preventDefault());
    document.body.append(dialog);
    dialog.showModal();
  });
  return question;
}

/** fetch() with the token; asks for one, as often as needed, when the daemon refuses the request for lack of it. */
export async function fetchAllowed(path, options = {}) {
  for (;;) {
    const sent = authorization();
    const response = await fetch(path, { ...options, headers: { ...options.headers, ...sent } });
    if (response.status !== 401) return response;
    // Another request may have got a new token meanwhile.
    if (sent.Authorization !== authorization().Authorization) continue;
    sessionStorage.removeItem(place);
    await askForToken(sent.Authorization ? "The last one is not known to it." : "`lathed token add` makes one; the operator's lies in the daemon's data folder.");
    options.signal?.throwIfAborted();
  }
}

/** For links to files: where a token is needed the browser cannot follow them by itself. */
export async function saveFile(event) {
  const link = event.currentTarget;
  if (!authorization().Authorization || link.protocol === "blob:") return;
  event.preventDefault();
  const response = await fetchAllowed(link.href);
  if (!response.ok) return;
  const named = /filename="([^"]+)"/.exec(response.headers.get("Content-Disposition") ?? "")?.[1];
  const address = URL.createObjectURL(await response.blob());
  h("a", { href: address, download: link.download || named || "download" }).click();
  setTimeout(() => URL.revokeObjectURL(address), 60000);
}
