import { createHash } from "node:crypto";
import { VERSION } from "../../base/mod.ts";
import type { BillSubject } from "./cyclonedx.ts";
import { type Inventory, type Package, packageUrl } from "./package.ts";

const NOTHING_SAID = "NOASSERTION";
/** An expression of licences that SPDX's own readers take; others stand as comments. */
const EXPRESSION = /^[\w.+-]+(?: (?:AND|OR|WITH) [\w.+-]+)*$/;

/** The bill of materials in SPDX's format (ISO/IEC 5962, version 2.3). */
export function spdx({ distribution, packages }: Inventory, { name, version, at }: BillSubject): object {
  const root = "SPDXRef-Image";
  const described = packages.map((found) => entry(found, packageUrl(found, distribution)));
  return {
    spdxVersion: "SPDX-2.3",
    dataLicense: "CC0-1.0",
    SPDXID: "SPDXRef-DOCUMENT",
    name,
    documentNamespace: `https://havre.invalid/spdx/${version.replace(":", "-")}`,
    creationInfo: { creators: [`Tool: havre-${VERSION}`], created: new Date(at).toISOString().replace(/\.\d+Z$/, "Z") },
    packages: [
      {
        SPDXID: root,
        name,
        versionInfo: version,
        downloadLocation: NOTHING_SAID,
        filesAnalyzed: false,
        primaryPackagePurpose: "CONTAINER",
        licenseConcluded: NOTHING_SAID,
        licenseDeclared: NOTHING_SAID,
        copyrightText: NOTHING_SAID,
      },
      ...described,
    ],
    relationships: [
      { spdxElementId: "SPDXRef-DOCUMENT", relationshipType: "DESCRIBES", relatedSpdxElement: root },
      ...described.map(({ SPDXID }) => ({
        spdxElementId: root,
        relationshipType: "CONTAINS",
        relatedSpdxElement: SPDXID,
      })),
    ],
  };
}

function entry({ name, version, license, place, kind }: Package, purl: string) {
  const id = createHash("sha256").update(`${purl} ${place}`).digest("hex").slice(0, 16);
  const known = license !== undefined && EXPRESSION.test(license);
  return {
    SPDXID: `SPDXRef-Package-${kind}-${id}`,
    name,
    versionInfo: version,
    downloadLocation: NOTHING_SAID,
    filesAnalyzed: false,
    sourceInfo: `found at ${place}`,
    licenseConcluded: NOTHING_SAID,
    licenseDeclared: known ? license : NOTHING_SAID,
    ...(license === undefined || known ? {} : { licenseComments: license }),
    copyrightText: NOTHING_SAID,
    externalRefs: [{ referenceCategory: "PACKAGE-MANAGER", referenceType: "purl", referenceLocator: purl }],
  };
}
