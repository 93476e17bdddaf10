import { HavreError } from "../../../base/mod.ts";
import { defineCommand } from "../../command.ts";
import { completionScript, SHELLS } from "./completion-scripts.ts";

export const command = defineCommand({
  usage: "bash|zsh|fish",
  summary: "Print the completion script for a shell",
  examples: [
    ["completion bash > /etc/bash_completion.d/havre", "For everybody's bash"],
    ["completion zsh > ~/.zfunc/_havre", "For zsh, in a folder of $fpath"],
    ["completion fish > ~/.config/fish/completions/havre.fish", "For fish"],
  ],
  flags: {},
  min: 1,
  max: 1,
  async run({ context, args: [shell = ""] }) {
    const script = completionScript(shell);
    if (script === undefined)
      throw new HavreError("invalid-argument", `No completion for the shell ${JSON.stringify(shell)}`, {
        hint: `Choose one of ${SHELLS.join(", ")}`,
      });
    context.out.write(script);
    return 0;
  },
});
