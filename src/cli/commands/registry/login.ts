import { HavreError, isHavreError } from "../../../base/mod.ts";
import { text, toggle } from "../../args/flags.ts";
import { defineCommand } from "../../command.ts";
import type { Context } from "../../context.ts";
import { type AuthConfig, SignIns, serverKey } from "../../credentials/sign-ins.ts";
import { isTerminal } from "../../output/output.ts";
import { stdinChunks } from "../../streams/input.ts";

export const command = defineCommand({
  usage: "[OPTIONS] [SERVER]",
  summary: "Log in to a registry",
  detail: "Without a server it is Docker Hub. The sign-in is kept where docker keeps it, so that both know it.",
  examples: [
    ["login registry.example:5000", "Asks for name and password"],
    ["login -u ci --password-stdin registry.example:5000 < secret", "In a script"],
  ],
  flags: {
    password: text("Password", { short: "p" }),
    "password-stdin": toggle("Take the password from stdin"),
    username: text("Username", { short: "u" }),
  },
  min: 0,
  max: 1,
  async run({ context, flags, args: [server = ""] }) {
    const signIns = new SignIns(context.env);
    const { username, password } = await ask(context, flags, server, signIns);
    const auth: AuthConfig = { username, password, serveraddress: serverKey(server) };
    const client = await context.client();
    let answer: { readonly Status: string; readonly IdentityToken?: string };
    try {
      answer = await client.json("POST", "/auth", { json: auth });
    } catch (error) {
      if (!isHavreError(error, "unauthenticated")) throw error;
      throw new HavreError("unauthenticated", `Signing in as ${username}: ${error.message}`, {
        cause: error,
        hint: "Check name and password",
      });
    }
    const { IdentityToken: identitytoken } = answer;
    await signIns.store(server, identitytoken ? { ...auth, identitytoken } : auth);
    if (signIns.keepsIn(serverKey(server)) === "file") {
      context.err.line(
        `WARNING! Your password is stored unencrypted in ${signIns.path}: a credential helper (credsStore) would keep it safer.`,
      );
    }
    context.out.line(answer.Status);
    return 0;
  },
});

async function ask(
  context: Context,
  flags: { readonly username: string; readonly password: string; readonly "password-stdin": boolean },
  server: string,
  signIns: SignIns,
): Promise<{ readonly username: string; readonly password: string }> {
  if (flags["password-stdin"]) {
    if (flags.password !== "")
      throw new HavreError("invalid-argument", "--password and --password-stdin are mutually exclusive");
    if (flags.username === "")
      throw new HavreError("invalid-argument", "Must provide --username with --password-stdin");
    let typed = "";
    for await (const chunk of stdinChunks()) typed += Buffer.from(chunk).toString();
    return { username: flags.username, password: typed.replace(/\r?\n$/, "") };
  }
  if (flags.password !== "")
    context.err.line("WARNING! Using --password via the CLI is insecure. Use --password-stdin.");
  if (flags.username !== "" && flags.password !== "") return flags;
  const known = await signIns.find(server);
  if (flags.username === "" && flags.password === "" && known?.username && known.password) {
    context.out.line("Authenticating with existing credentials...");
    return { username: known.username, password: known.password };
  }
  if (!isTerminal(0))
    throw new HavreError("invalid-argument", "Cannot perform an interactive login from a non TTY device");
  const username = flags.username || (await readLine(context, "Username: "));
  if (username === "") throw new HavreError("invalid-argument", "username is required");
  const password = flags.password || (await readSecret(context, "Password: "));
  if (password === "") throw new HavreError("invalid-argument", "password is required");
  return { username, password };
}

async function readLine(context: Context, prompt: string): Promise<string> {
  context.out.write(prompt);
  let typed = "";
  for await (const chunk of stdinChunks()) {
    typed += Buffer.from(chunk).toString();
    if (typed.includes("\n")) break;
  }
  return (typed.split("\n")[0] ?? "").trim();
}

const CONTROL_C = "\u0003";
const BACKSPACES = ["\u007f", "\b"];

/** A line that is not shown while it is typed. */
async function readSecret(context: Context, prompt: string): Promise<string> {
  context.out.write(prompt);
  const raw = await context.rawTerminal(0);
  try {
    return await typedSecret();
  } finally {
    raw.restore();
    context.out.line("");
  }
}

async function typedSecret(): Promise<string> {
  let typed = "";
  for await (const chunk of stdinChunks()) {
    for (const character of Buffer.from(chunk).toString()) {
      if (character === "\r" || character === "\n") return typed;
      if (character === CONTROL_C) throw new HavreError("cancelled", "Cancelled");
      typed = BACKSPACES.includes(character) ? typed.slice(0, -1) : typed + character;
    }
  }
  return typed;
}
