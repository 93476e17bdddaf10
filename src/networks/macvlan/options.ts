import { HavreError } from "../../base/mod.ts";
import type { MacvlanMode } from "../../kernel/mod.ts";
import type { NetworkSpec } from "../model.ts";

/** A macvlan network's driver options, parsed. */
export interface MacvlanOptions {
  readonly parent: string;
  /** The parent is a part of this interface that carries one VLAN. */
  readonly vlan: { readonly trunk: string; readonly id: number } | undefined;
  readonly mode: MacvlanMode;
}

const MODES: readonly string[] = ["bridge", "private", "vepa", "passthru"];

/** The options of a network; `invalid-argument` with Docker's texts for one that cannot be understood. */
export function macvlanOptions({ options }: Pick<NetworkSpec, "options">): MacvlanOptions {
  const parent = options.parent ?? options["com.docker.network.macvlan.parent"] ?? "";
  const mode = options.macvlan_mode || options["com.docker.network.macvlan.mode"] || "bridge";
  if (!isMode(mode)) {
    const text = `requested macvlan mode '${mode}' is not valid, 'bridge' mode is the macvlan driver default`;
    throw new HavreError("invalid-argument", text);
  }
  if (parent === "") {
    throw new HavreError("invalid-argument", "A macvlan network needs the interface of the host that it is on", {
      hint: "Name it with -o parent=eth0, or use a bridge network, which needs none",
    });
  }
  if (!/^[^\s/]{1,15}$/.test(parent))
    throw new HavreError("invalid-argument", `Invalid interface name ${JSON.stringify(parent)}`);
  const [, trunk = "", number = ""] = /^(.+)\.(\d{1,4})$/.exec(parent) ?? [];
  const id = Number(number);
  return { parent, mode, vlan: trunk !== "" && id >= 1 && id <= 4094 ? { trunk, id } : undefined };
}

function isMode(text: string): text is MacvlanMode {
  return MODES.includes(text);
}
