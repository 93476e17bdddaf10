import { VERSION } from "../../../base/mod.ts";

/** `GET /havre/v1/audit`: what one check found. */
export interface AuditFinding {
  readonly practice: string;
  readonly check: string;
  readonly subject: { readonly kind: "container" | "image" | "host"; readonly id: string; readonly name: string };
  readonly kept: boolean;
  readonly weight: "low" | "medium" | "high";
  readonly found: string;
  readonly why: string;
  readonly remedy?: string;
  readonly cis: readonly string[];
}

const LEVELS = { high: "error", medium: "warning", low: "note" } as const;
/** As code scanning services rank them (0 to 10). */
const SEVERITIES = { high: "8.0", medium: "5.0", low: "2.0" } as const;

/** The findings as SARIF 2.1.0 (OASIS): a rule for each check, a result for each finding. */
export function sarif(findings: readonly AuditFinding[]): object {
  const checks = [...new Map(findings.map((finding) => [finding.check, finding])).values()];
  return {
    $schema: "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: {
          driver: {
            name: "havre audit",
            semanticVersion: VERSION,
            rules: checks.map(({ check, practice, why, weight, cis }) => ({
              id: check,
              shortDescription: { text: `${practice}: ${check}` },
              fullDescription: { text: why },
              defaultConfiguration: { level: LEVELS[weight] },
              properties: {
                tags: ["security", practice, ...cis.map((number) => `CIS-Docker-1.6.0-${number}`)],
                "security-severity": SEVERITIES[weight],
              },
            })),
          },
        },
        results: findings.map((finding) => ({
          ruleId: finding.check,
          ruleIndex: checks.findIndex(({ check }) => check === finding.check),
          kind: finding.kept ? "pass" : "fail",
          level: finding.kept ? "none" : LEVELS[finding.weight],
          message: { text: messageOf(finding) },
          locations: [
            {
              // A reader of files needs one; the subject is what it is really about.
              physicalLocation: {
                artifactLocation: { uri: `${finding.subject.kind}/${encodeURI(finding.subject.name)}` },
              },
              logicalLocations: [
                { kind: finding.subject.kind, name: finding.subject.name, fullyQualifiedName: finding.subject.id },
              ],
            },
          ],
          partialFingerprints: {
            "subjectAndCheck/v1": `${finding.subject.kind}:${finding.subject.name}:${finding.check}`,
          },
        })),
      },
    ],
  };
}

function messageOf({ found, why, remedy, kept }: AuditFinding): string {
  return kept ? found : `${found}. ${why}.${remedy === undefined ? "" : ` Remedy: ${remedy}`}`;
}
