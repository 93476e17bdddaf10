import { type Digest, isDigest } from "../../base/mod.ts";
import { retainTags } from "../../policy/mod.ts";
import type { ReadTransaction } from "../../store/mod.ts";
import { ITSELF, type RegistryContext } from "../context.ts";
import type { Manifests } from "../manifests.ts";
import type { ManifestName } from "../names.ts";
import { manifestRecords, type TagRecord, tagRecords } from "../objects.ts";
import type { Rules } from "../rules.ts";

export interface Retained {
  readonly repository: string;
  /** A tag, or a digest of a manifest without one. */
  readonly name: string;
  readonly keep: boolean;
  readonly why: string;
}

/**
 * Applies the retention rules, one repository after the other: tags first, then manifests that nothing leads to any
 * more. Yields what becomes of each. What goes frees space with the next collection.
 */
export async function* retain(
  { store, clock }: RegistryContext,
  manifests: Manifests,
  rules: Pick<Rules, "retention" | "immutable">,
  { dryRun }: { readonly dryRun: boolean },
): AsyncGenerator<Retained> {
  const repositories = store.view((tx) => new Set(tx.list(manifestRecords).map(({ repository }) => repository)));
  for (const repository of [...repositories].sort()) {
    const rule = rules.retention(repository);
    if (!rule) continue;
    const now = clock.now();
    const tags = store.view((tx) => tx.find(tagRecords, "repository", repository));
    const verdicts = retainTags(
      rule,
      tags
        .filter(({ name }) => subjectOf(name) === undefined)
        .map(({ name, at }) => ({ name, at, immutable: rules.immutable(repository, name) })),
      now,
    );
    const gone = new Set<string>();
    for (const { name, keep, explain } of verdicts) {
      const tag = tags.find((one) => one.name === name);
      if (!keep && tag) {
        gone.add(name);
        if (!dryRun) {
          await store.update((tx) => {
            // Pushed again meanwhile: it is another tag now.
            if (tx.get(tagRecords, tag.id)?.at === tag.at)
              manifests.remove(tx, repository, { tag: name }, ITSELF, false);
          });
        }
      }
      yield { repository, name, keep, why: explain };
    }
    const { untagged } = rule;
    if (untagged === undefined) continue;
    const find = (tx: ReadTransaction, without: ReadonlySet<string>) =>
      unreachable(tx, repository, without, now - untagged);
    const unused = dryRun
      ? store.view((tx) => find(tx, gone))
      : await store.update((tx) => {
          const found = find(tx, new Set());
          for (const name of found) manifests.remove(tx, repository, name, ITSELF, false);
          return found;
        });
    for (const name of unused) {
      const text = "tag" in name ? name.tag : name.digest;
      yield { repository, name: text, keep: false, why: "no tag, index or subject leads to it" };
    }
  }
}

/** What no tag leads to and is older than `before`: not directly, not through an index, not as what refers to one that is led to. */
function unreachable(
  tx: ReadTransaction,
  repository: string,
  withoutTags: ReadonlySet<string>,
  before: number,
): readonly ManifestName[] {
  const all = tx.find(manifestRecords, "repository", repository);
  const byDigest = new Map(all.map((record) => [record.digest, record]));
  const referrers = Map.groupBy(all, ({ subject }) => subject);
  const [attached, plain] = [[] as TagRecord[], [] as TagRecord[]];
  for (const tag of tx.find(tagRecords, "repository", repository)) {
    if (!withoutTags.has(tag.name)) (subjectOf(tag.name) === undefined ? plain : attached).push(tag);
  }
  const attachments = Map.groupBy(attached, ({ name }) => subjectOf(name));
  const reached = new Set<Digest>();
  const waiting = [
    ...plain.map(({ digest }) => digest),
    // One that is still young keeps what it leads to.
    ...all.filter(({ since }) => since >= before).map(({ digest }) => digest),
  ];
  for (let digest = waiting.pop(); digest !== undefined; digest = waiting.pop()) {
    if (reached.has(digest)) continue;
    reached.add(digest);
    waiting.push(...(byDigest.get(digest)?.manifests ?? []));
    for (const { digest: other } of [...(referrers.get(digest) ?? []), ...(attachments.get(digest) ?? [])]) {
      waiting.push(other);
    }
  }
  const tags = attached.filter(({ name, at }) => at < before && !reached.has(subjectOf(name) as Digest));
  const manifests = all.filter(({ digest }) => !reached.has(digest));
  return [...tags.map(({ name }) => ({ tag: name })), ...manifests.map(({ digest }) => ({ digest }))];
}

/** Tags such as `sha256-….sig` are how tools attach signatures and lists of referrers to a digest: they go with it. */
function subjectOf(tag: string): Digest | undefined {
  const [, algorithm = "", hex = ""] = /^(sha256|sha512)-([0-9a-f]+)(?:\.|$)/.exec(tag) ?? [];
  const digest = `${algorithm}:${hex}`;
  return isDigest(digest) ? digest : undefined;
}
