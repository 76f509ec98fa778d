// A real lathed on a free port, with a data folder of its own.
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { waitFor } from "./wait.mjs";

const bin = process.env.LATHE_BIN;
if (!bin) throw new Error("LATHE_BIN must name the folder of lathed");

export const program = (name) => resolve(bin, name);
const dashboard = resolve(process.env.LATHE_WEBUI ?? "dist");
if (!existsSync(join(dashboard, "index.html"))) throw new Error(`${dashboard} has no dashboard: npm run build`);

export class Daemon {
  constructor(options = []) {
    this.folder = mkdtempSync(join(tmpdir(), "lathe-web-"));
    this.options = options;
    this.port = 0;
  }

  /** Starts it, the second time on the port of the first. */
  async start() {
    const address = join(this.folder, "lathed.address");
    rmSync(address, { force: true });
    const given = ["--port", String(this.port), "--data-dir", this.folder, "--webui", dashboard, "--reserve", "0"];
    this.process = spawn(program("lathed"), [...given, ...this.options], { stdio: ["ignore", "ignore", "pipe"] });
    this.process.stderr.on("data", (data) => (this.said = `${this.said ?? ""}${data}`));
    const text = await waitFor(
      () => existsSync(address) && readFileSync(address, "utf8").trim(),
      "lathed listens",
      () => this.said,
    );
    this.port = Number(/:(\d+)\D*$/.exec(text)[1]);
    this.url = `http://127.0.0.1:${this.port}`;
    await waitFor(
      () =>
        fetch(`${this.url}/healthz`).then(
          (answer) => answer.ok,
          () => false,
        ),
      "lathed answers",
    );
    return this;
  }

  async end(signal) {
    const ended = new Promise((done) => this.process.once("exit", done));
    this.process.kill(signal);
    await ended;
  }

  kill() {
    return this.end("SIGKILL");
  }

  /** Ends it and removes what it has written. */
  async close() {
    await this.end("SIGTERM");
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 250 });
  }

  /** The JSON at a path of the interface; throws what a refusal says. */
  async ask(path, options) {
    const answer = await fetch(`${this.url}/api/v1/${path}`, options);
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${text}`);
    return text ? JSON.parse(text) : undefined;
  }

  create(config) {
    return this.ask("experiments", { method: "POST", body: JSON.stringify(config) });
  }

  /** Waits until an experiment is in one of these states. */
  until(id, states, seconds = 120) {
    const look = async () => {
      const experiment = await this.ask(`experiments/${id}`);
      return states.includes(experiment.status) && experiment;
    };
    return waitFor(look, `${id} is ${states.join(" or ")}`, undefined, seconds);
  }
}
