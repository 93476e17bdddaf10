import { VERSION } from "../../base/mod.ts";
import { type Inventory, packageUrl } from "./package.ts";

/** What a bill of materials is about. */
export interface BillSubject {
  /** As people call it. */
  readonly name: string;
  /** A digest. */
  readonly version: string;
  /** What no time in it is to be but this, milliseconds since the epoch. */
  readonly at: number;
}

/** The bill of materials in CycloneDX's format (ECMA-424, version 1.5). */
export function cyclonedx({ distribution, packages }: Inventory, { name, version, at }: BillSubject): object {
  const components = packages.map((found) => {
    const purl = packageUrl(found, distribution);
    return {
      "bom-ref": purl,
      type: "library",
      name: found.name,
      version: found.version,
      ...(found.license === undefined ? {} : { licenses: [{ license: { name: found.license } }] }),
      purl,
      properties: [{ name: "havre:place", value: found.place }],
    };
  });
  const system = distribution && {
    "bom-ref": `os:${distribution.id}@${distribution.version}`,
    type: "operating-system",
    name: distribution.id,
    version: distribution.version,
    description: distribution.name,
  };
  return {
    $schema: "http://cyclonedx.org/schema/bom-1.5.schema.json",
    bomFormat: "CycloneDX",
    specVersion: "1.5",
    version: 1,
    metadata: {
      timestamp: new Date(at).toISOString(),
      tools: { components: [{ type: "application", name: "havre", version: VERSION }] },
      component: { "bom-ref": version, type: "container", name, version },
    },
    components: system ? [system, ...components] : components,
  };
}
