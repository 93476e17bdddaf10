import type { Digest } from "../../base/mod.ts";
import type { Descriptor } from "../../spec/mod.ts";
import type { ManifestRecord, TagRecord } from "../objects.ts";
import { type Html, html, moment, size } from "./html.ts";

export interface RepositoryRow {
  readonly name: string;
  readonly tags: number;
  readonly bytes: number;
  /** When a tag was set last. */
  readonly at: number | undefined;
}

/** The list of repositories. */
export function repositoriesPage(rows: readonly RepositoryRow[], more: string | undefined, now: number): Html {
  if (rows.length === 0)
    return html`<h1>Repositories</h1><p class="lead">There is nothing here yet that you may see.</p>`;
  return html`<h1>Repositories</h1>
<p class="lead">${size(rows.reduce((sum, { bytes }) => sum + bytes, 0))} in ${rows.length} ${rows.length === 1 ? "repository" : "repositories"}${more === undefined ? "" : " on this page"}</p>
<table><thead><tr><th>Name</th><th class="n">Tags</th><th class="n">Size</th><th class="n">Last push</th></tr></thead><tbody>
${rows.map(
  ({ name, tags, bytes, at }) =>
    html`<tr><td><a href="/repositories/${name}">${name}</a></td><td class="n">${tags}</td><td class="n">${size(bytes)}</td><td class="n">${at === undefined ? "" : moment(at, now)}</td></tr>
`,
)}</tbody></table>
${more !== undefined && html`<nav><a href="/?after=${encodeURIComponent(more)}">More</a></nav>`}`;
}

export interface TagRow {
  readonly tag: TagRecord;
  readonly bytes: number;
  readonly what: string;
  readonly immutable: boolean;
}

export interface RepositoryView {
  readonly name: string;
  readonly address: string;
  readonly bytes: number;
  /** Bytes that it may take yet, where a quota counts. */
  readonly room: number;
  readonly tags: readonly TagRow[];
  /** Manifests without a tag. */
  readonly untagged: number;
}

/** One repository with its tags. */
export function repositoryPage({ name, address, bytes, room, tags, untagged }: RepositoryView, now: number): Html {
  const quota = Number.isFinite(room) ? html` · ${size(room)} left of the quota` : "";
  const rest = untagged === 0 ? "" : ` · ${untagged} ${untagged === 1 ? "manifest" : "manifests"} without a tag`;
  return html`<h1>${name}</h1>
<p class="lead">${size(bytes)}${quota}${rest}</p>
${
  Number.isFinite(room) &&
  html`<svg class="bar" width="100%" height="6" role="img" aria-label="Share of the quota in use"><rect width="${Math.round((100 * bytes) / Math.max(1, bytes + room))}%" height="6" fill="currentColor"/></svg>`
}
<section><code>docker pull ${address}/${name}${tags[0] ? `:${tags[0].tag.name}` : ""}</code></section>
<h2>Tags</h2>
<table><thead><tr><th>Tag</th><th>What</th><th class="wide">Digest</th><th class="n">Size</th><th class="n">Pushed</th><th class="wide">By</th></tr></thead><tbody>
${tags.map(
  ({ tag, bytes, what, immutable }) =>
    html`<tr><td><a href="/repositories/${name}?tag=${encodeURIComponent(tag.name)}">${tag.name}</a>${immutable && html` <span class="tag">immutable</span>`}</td><td>${what}</td><td class="wide"><code title="${tag.digest}">${short(tag.digest)}</code></td><td class="n">${size(bytes)}</td><td class="n">${moment(tag.at, now)}</td><td class="wide">${tag.history.at(-1)?.by}</td></tr>
`,
)}</tbody></table>`;
}

export interface Platformed {
  readonly platform: string;
  readonly digest: Digest;
  readonly bytes: number;
}

export interface ImageView {
  readonly repository: string;
  readonly address: string;
  readonly title: string;
  readonly tag: TagRecord | undefined;
  readonly record: ManifestRecord;
  readonly bytes: number;
  /** What an index names. */
  readonly platforms: readonly Platformed[];
  readonly layers: readonly Descriptor[];
  readonly facts: readonly (readonly [name: string, value: string])[];
  readonly steps: readonly {
    readonly step: string;
    readonly bytes: number | undefined;
    readonly at: number | undefined;
  }[];
  readonly referrers: readonly ManifestRecord[];
}

/** One image: what it is made of, where its tag pointed before, what refers to it. */
export function imagePage(view: ImageView, now: number): Html {
  const { repository, address, title, tag, record, bytes, platforms, facts, steps, referrers } = view;
  const link = (digest: Digest) =>
    html`<a href="/repositories/${repository}?digest=${encodeURIComponent(digest)}"><code title="${digest}">${short(digest)}</code></a>`;
  return html`<h1><a href="/repositories/${repository}">${repository}</a>${title}</h1>
<p class="lead">${size(bytes)} · <code>${record.mediaType}</code></p>
<section><dl>
<dt>Pull</dt><dd><code>docker pull ${address}/${repository}@${record.digest}</code></dd>
<dt>First pushed</dt><dd>${moment(record.since, now)}</dd>
${facts.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>\n`)}</dl></section>
${
  platforms.length > 0 &&
  html`<h2>Platforms</h2><table><thead><tr><th>Platform</th><th>Digest</th><th class="n">Size</th></tr></thead><tbody>
${platforms.map((one) => html`<tr><td>${one.platform}</td><td>${link(one.digest)}</td><td class="n">${size(one.bytes)}</td></tr>\n`)}</tbody></table>`
}
${
  steps.length > 0 &&
  html`<h2>History</h2><table><thead><tr><th>Step</th><th class="n">Layer</th><th class="n">Made</th></tr></thead><tbody>
${steps.map(
  ({ step, bytes, at }) =>
    html`<tr><td class="step"><code>${step}</code></td><td class="n">${bytes === undefined ? "" : size(bytes)}</td><td class="n">${at === undefined ? "" : moment(at, now)}</td></tr>\n`,
)}</tbody></table>`
}
${
  referrers.length > 0 &&
  html`<h2>Attached to it</h2><table><thead><tr><th>Type</th><th>Digest</th><th class="n">Size</th><th class="n">Pushed</th></tr></thead><tbody>
${referrers.map((one) => html`<tr><td>${one.artifactType ?? one.mediaType}</td><td>${link(one.digest)}</td><td class="n">${size(one.contentSize)}</td><td class="n">${moment(one.since, now)}</td></tr>\n`)}</tbody></table>`
}
${
  tag &&
  html`<h2>Where the tag pointed</h2><table><thead><tr><th>Digest</th><th>By</th><th class="n">Since</th></tr></thead><tbody>
${[...tag.history].reverse().map(({ digest, by, at }) => html`<tr><td>${link(digest)}</td><td>${by}</td><td class="n">${moment(at, now)}</td></tr>\n`)}</tbody></table>`
}`;
}

function short(digest: Digest): string {
  return digest.slice(0, 19);
}
