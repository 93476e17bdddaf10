import { HavreError } from "../../base/mod.ts";
import { fromBytes } from "../../snapshots/mod.ts";
import type { Builder } from "../builder.ts";
import { takeContext } from "../classic/classic-builds.ts";
import { contextName } from "../dockerfile/context-name.ts";
import type { FileSource } from "../ops/files/source.ts";
import { SubfolderSource } from "../ops/files/subfolder-source.ts";

/** What a name stands for that `FROM` and `--from` use. */
export type NativeContext = { readonly name: string } & (
  | { readonly kind: "files" }
  /** A repository, or an archive of the web. */
  | { readonly kind: "remote"; readonly address: string }
  | { readonly kind: "image"; readonly reference: string }
);

interface Asked {
  readonly remote?: string;
  readonly keptContext: string;
  readonly contexts: readonly NativeContext[];
}

/** The folder of the main context in the body of a build that brings several; the others are in `0`, `1`, by their place. */
const MAIN = "main";

/** The files that a build was given, by name. */
export class NativeContexts {
  readonly #builder: Builder;
  readonly #asked: Asked;
  readonly #body: FileSource | undefined;
  readonly #held: DisposableStack;
  readonly main: FileSource;

  private constructor(
    builder: Builder,
    asked: Asked,
    body: FileSource | undefined,
    held: DisposableStack,
    main: FileSource,
  ) {
    this.#builder = builder;
    this.#asked = asked;
    this.#body = body;
    this.#held = held;
    this.main = main;
  }

  /** Reads the body: the main context's archive, or one with a folder for each. `held` gets what goes with the build. */
  static async take(
    builder: Builder,
    asked: Asked,
    body: AsyncIterable<Uint8Array>,
    held: DisposableStack,
    signal: AbortSignal,
  ): Promise<NativeContexts> {
    const { remote, contexts } = asked;
    const take = async () =>
      asked.keptContext === ""
        ? await takeContext(builder, body, held, signal)
        : held.use(await builder.kept.receive(asked.keptContext, body, signal));
    const brings = contexts.some(({ kind }) => kind === "files");
    const received = brings || remote === undefined ? await take() : undefined;
    const whole = received && (brings ? new SubfolderSource(received, folder(MAIN)) : received);
    const main =
      remote === undefined && whole ? whole : await takeContext(builder, { remote: remote ?? "" }, held, signal);
    return new NativeContexts(builder, asked, received, held, main);
  }

  /** Of those that are files. */
  get names(): readonly string[] {
    return this.#asked.contexts.filter(({ kind }) => kind !== "image").map(({ name }) => contextName(name));
  }

  /** The image that a name means. */
  reference(name: string): string {
    const named = this.#asked.contexts.find((one) => contextName(one.name) === contextName(name));
    return named?.kind === "image" ? named.reference : name;
  }

  async named(name: string, signal: AbortSignal): Promise<FileSource> {
    const index = this.#asked.contexts.findIndex((one) => contextName(one.name) === name);
    const named = this.#asked.contexts[index];
    if (named?.kind === "remote") return this.#held.use(await this.#builder.fetch(named.address, signal)).files;
    if (named?.kind !== "files" || !this.#body) throw new HavreError("not-found", `There is no context ${name}`);
    return new SubfolderSource(this.#body, folder(String(index)));
  }
}

const folder = (name: string) => fromBytes(Buffer.from(name));
