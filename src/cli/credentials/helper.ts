import { spawn } from "node:child_process";
import { errnoOf, HavreError } from "../../base/mod.ts";

/** What a credential helper knows of a server. */
export interface HelperCredentials {
  readonly Username: string;
  readonly Secret: string;
}

/** Helpers say an identity token instead of a password by this name. */
export const TOKEN_USER = "<token>";

/** A `docker-credential-NAME` program (docker-credential-helpers protocol: the server's address on standard input). */
export class CredentialHelper {
  readonly #program: string;

  constructor(name: string) {
    this.#program = `docker-credential-${name}`;
  }

  /** undefined when it knows nothing of the server. */
  async get(server: string): Promise<HelperCredentials | undefined> {
    const { code, output } = await this.#run("get", server);
    if (code !== 0) {
      if (/credentials not found/i.test(output)) return undefined;
      throw this.#failed("get", output);
    }
    try {
      const { Username, Secret } = JSON.parse(output) as Partial<HelperCredentials>;
      return { Username: Username ?? "", Secret: Secret ?? "" };
    } catch {
      throw this.#failed("get", output);
    }
  }

  async store(server: string, credentials: HelperCredentials): Promise<void> {
    const { code, output } = await this.#run("store", JSON.stringify({ ServerURL: server, ...credentials }));
    if (code !== 0) throw this.#failed("store", output);
  }

  async erase(server: string): Promise<void> {
    const { code, output } = await this.#run("erase", server);
    if (code !== 0 && !/credentials not found/i.test(output)) throw this.#failed("erase", output);
  }

  #failed(verb: string, output: string): HavreError {
    return new HavreError("unavailable", `${this.#program} ${verb} failed: ${output.trim() || "it says nothing"}`, {
      hint: "It is named in Docker's configuration file as credsStore or credHelpers",
    });
  }

  #run(verb: string, input: string): Promise<{ readonly code: number | null; readonly output: string }> {
    return new Promise((resolve, reject) => {
      const child = spawn(this.#program, [verb], { stdio: ["pipe", "pipe", "inherit"] });
      let output = "";
      child.stdout.on("data", (data: Buffer) => {
        output += data.toString();
      });
      child.once("error", (cause) => {
        const missing = errnoOf(cause) === "ENOENT";
        const why = missing ? "executable file not found in $PATH" : cause.message;
        reject(
          new HavreError("failed-precondition", `error getting credentials - ${this.#program}: ${why}`, { cause }),
        );
      });
      child.once("close", (code) => resolve({ code, output }));
      child.stdin.on("error", () => {}); // It may end without reading; its exit code tells.
      child.stdin.end(input);
    });
  }
}
