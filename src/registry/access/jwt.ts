import { createPublicKey, type KeyObject, sign, verify, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { HavreError } from "../../base/mod.ts";
import type { TokenAccess } from "./access.ts";

/** What a token says (RFC 7519; Docker Registry v2 authentication, § Token Claims). Times in seconds. */
export interface Claims {
  readonly issuer: string;
  readonly subject: string;
  readonly audience: readonly string[];
  readonly expires: number;
  readonly notBefore: number;
  readonly access: readonly TokenAccess[];
}

interface Algorithm {
  readonly keyType: string;
  readonly hash: string | null;
  readonly curve?: string;
  readonly padding?: number;
}

const PSS = 6; // RSA_PKCS1_PSS_PADDING of OpenSSL.
/** By the header's name. None that takes a shared secret, and not "none": a public key would be taken for the secret. */
const ALGORITHMS: Readonly<Record<string, Algorithm>> = {
  RS256: { keyType: "rsa", hash: "sha256" },
  RS384: { keyType: "rsa", hash: "sha384" },
  RS512: { keyType: "rsa", hash: "sha512" },
  PS256: { keyType: "rsa", hash: "sha256", padding: PSS },
  ES256: { keyType: "ec", hash: "sha256", curve: "prime256v1" },
  ES384: { keyType: "ec", hash: "sha384", curve: "secp384r1" },
  ES512: { keyType: "ec", hash: "sha512", curve: "secp521r1" },
  EdDSA: { keyType: "ed25519", hash: null },
};
/** Clocks differ. */
const LEEWAY_SECONDS = 60;
const LONGEST_CHAIN = 5;
const LONGEST_TOKEN = 64 * 1024;

/** Keys whose signatures are believed, and certificates whose holders may sign. */
export interface TrustedKeys {
  readonly keys: readonly KeyObject[];
  readonly authorities: readonly X509Certificate[];
}

/** Reads PEM (public keys, certificates) and JSON (a JWK, a JWK set). `invalid-argument` naming the file. */
export function readTrustedKeys(paths: readonly string[]): TrustedKeys {
  const keys: KeyObject[] = [];
  const authorities: X509Certificate[] = [];
  for (const path of paths) {
    try {
      const text = readFileSync(path, "utf8");
      if (text.trimStart().startsWith("{")) keys.push(...jwkKeys(JSON.parse(text)));
      for (const [block] of text.matchAll(/-----BEGIN ([A-Z ]+)-----[\s\S]+?-----END \1-----/g)) {
        if (block.startsWith("-----BEGIN CERTIFICATE")) {
          const certificate = new X509Certificate(block);
          authorities.push(certificate);
          keys.push(certificate.publicKey);
        } else if (block.includes("PRIVATE"))
          throw new Error("it holds a private key: only the public one belongs here");
        else keys.push(createPublicKey(block));
      }
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new HavreError("invalid-argument", `Key ${path}: ${why}`, { cause });
    }
  }
  if (keys.length === 0) throw new HavreError("invalid-argument", `No key in ${paths.join(", ")}`);
  return { keys, authorities };
}

function jwkKeys(value: unknown): KeyObject[] {
  const { keys } = value as { keys?: readonly object[] };
  return (keys ?? [value as object]).map((key) => createPublicKey({ key: key as never, format: "jwk" }));
}

/** A token signed with ECDSA on P-256. */
export function signToken(key: KeyObject, keyId: string, claims: object): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const signed = `${part({ typ: "JWT", alg: "ES256", kid: keyId })}.${part(claims)}`;
  const signature = sign("sha256", Buffer.from(signed), { key, dsaEncoding: "ieee-p1363" });
  return `${signed}.${signature.toString("base64url")}`;
}

/** What a token says, if a key that is trusted signed it and it holds at `now` (seconds); a text says why not. */
export function readToken(token: string, trusted: TrustedKeys, now: number): Claims | string {
  const [head = "", body = "", signature = "", more] = token.split(".");
  if (more !== undefined || signature === "" || token.length > LONGEST_TOKEN) return "it is not a signed token";
  const header = object(head);
  const claims = object(body);
  if (!header || !claims) return "it is not a signed token";
  const algorithm = typeof header.alg === "string" && Object.hasOwn(ALGORITHMS, header.alg) && ALGORITHMS[header.alg];
  if (!algorithm) return "its algorithm is not taken";
  const candidates = header.x5c === undefined ? trusted.keys : certified(header.x5c, trusted.authorities, now);
  const data = Buffer.from(`${head}.${body}`);
  const bytes = Buffer.from(signature, "base64url");
  if (!candidates.some((key) => isSignature(algorithm, key, data, bytes))) return "no key that is trusted signed it";
  const read = readClaims(claims);
  if (!read) return "its claims cannot be read";
  if (now > read.expires + LEEWAY_SECONDS) return "it is expired";
  if (now < read.notBefore - LEEWAY_SECONDS) return "it does not hold yet";
  return read;
}

function isSignature(algorithm: Algorithm, key: KeyObject, data: Buffer, signature: Buffer): boolean {
  const { keyType, hash, curve, padding } = algorithm;
  if (key.asymmetricKeyType !== keyType) return false;
  if (curve !== undefined && key.asymmetricKeyDetails?.namedCurve !== curve) return false;
  try {
    const options = { key, dsaEncoding: "ieee-p1363" as const, ...(padding === undefined ? {} : { padding }) };
    return verify(hash, data, options, signature);
  } catch {
    return false;
  }
}

/** The key of a chain of certificates (RFC 7515 § 4.1.6) that ends at one that is trusted, all of them valid now. */
function certified(chain: unknown, authorities: readonly X509Certificate[], now: number): readonly KeyObject[] {
  if (!Array.isArray(chain) || chain.length === 0 || chain.length > LONGEST_CHAIN) return [];
  try {
    const certificates = chain.map((one) => new X509Certificate(Buffer.from(String(one), "base64")));
    const [leaf] = certificates;
    if (!leaf || !certificates.every((one) => isValidAt(one, now))) return [];
    for (const [index, one] of certificates.entries()) {
      if (authorities.some((authority) => isValidAt(authority, now) && issued(authority, one))) return [leaf.publicKey];
      const next = certificates[index + 1];
      if (!next?.ca || !issued(next, one)) return [];
    }
  } catch {
    // What cannot be read is not trusted.
  }
  return [];
}

function issued(authority: X509Certificate, certificate: X509Certificate): boolean {
  if (authority.fingerprint256 === certificate.fingerprint256) return true;
  return certificate.checkIssued(authority) && certificate.verify(authority.publicKey);
}

function isValidAt({ validFrom, validTo }: X509Certificate, now: number): boolean {
  return Date.parse(validFrom) / 1000 <= now && now <= Date.parse(validTo) / 1000;
}

function readClaims(claims: Readonly<Record<string, unknown>>): Claims | undefined {
  const { iss, sub, aud, exp, nbf, access } = claims;
  const audience =
    typeof aud === "string" ? [aud] : Array.isArray(aud) ? aud.filter((one) => typeof one === "string") : [];
  if (typeof iss !== "string" || typeof exp !== "number" || !Number.isFinite(exp)) return undefined;
  return {
    issuer: iss,
    subject: typeof sub === "string" ? sub : "",
    audience,
    expires: exp,
    notBefore: typeof nbf === "number" ? nbf : 0,
    access: Array.isArray(access) ? access.flatMap(readAccess) : [],
  };
}

function readAccess(value: unknown): readonly TokenAccess[] {
  if (typeof value !== "object" || value === null) return [];
  const { type, name, actions } = value as Readonly<Record<string, unknown>>;
  if (typeof type !== "string" || typeof name !== "string" || !Array.isArray(actions)) return [];
  return [{ type, name, actions: actions.filter((action) => typeof action === "string") }];
}

function object(part: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, "base64url").toString("utf8"));
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
