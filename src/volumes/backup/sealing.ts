import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { Decrypter, Encrypter } from "age-encryption";
import { HavreError } from "../../base/mod.ts";

/** For whom a backup is readable: whoever knows the passphrase, or has the key to one of the recipients (`age1…`). */
export type Lock =
  /** `work`: log2 of what it costs to try one; age's own default. */
  { readonly passphrase: string; readonly work?: number } | { readonly recipients: readonly string[] };
/** What opens it: a passphrase, or identities (`AGE-SECRET-KEY-1…`). */
export type Opener = { readonly passphrase?: string; readonly identities?: readonly string[] };

const CIPHER = "aes-256-gcm";
const NONCE = 12;
const TAG = 16;

/** `invalid-argument` for a recipient that is none. */
export function ageEncrypter(lock: Lock): Encrypter {
  const encrypter = new Encrypter();
  try {
    if ("passphrase" in lock) {
      encrypter.setPassphrase(lock.passphrase);
      if (lock.work !== undefined) encrypter.setScryptWorkFactor(lock.work);
    } else for (const recipient of lock.recipients) encrypter.addRecipient(recipient);
  } catch (cause) {
    throw new HavreError("invalid-argument", "A recipient is no public key of age (age1…)", { cause });
  }
  return encrypter;
}

export function ageDecrypter({ passphrase, identities = [] }: Opener): Decrypter {
  const decrypter = new Decrypter();
  if (passphrase === undefined && identities.length === 0)
    throw new HavreError("permission-denied", "The backup is encrypted", {
      hint: "Give its passphrase or an identity",
    });
  try {
    if (passphrase !== undefined) decrypter.addPassphrase(passphrase);
    for (const identity of identities) decrypter.addIdentity(identity);
  } catch (cause) {
    throw new HavreError("invalid-argument", "An identity is no secret key of age (AGE-SECRET-KEY-1…)", { cause });
  }
  return decrypter;
}

/** What failed in opening as an error of ours: a key that does not fit, or damage. */
export function openingFailure(cause: unknown): HavreError {
  if (cause instanceof HavreError) return cause;
  const text = cause instanceof Error ? cause.message : String(cause);
  if (/identity|passphrase|recipient/i.test(text))
    return new HavreError("permission-denied", "The passphrase or identity does not open this backup", { cause });
  return new HavreError("data-loss", `The backup is cut short or damaged: ${text}`, {
    cause,
    hint: "Nothing was changed; use another backup",
  });
}

/** Seals a chunk with a data key: nonce, ciphertext, tag. `about` is bound to it: a chunk is no other chunk. */
export function seal(key: Uint8Array, about: string, bytes: Uint8Array): Uint8Array {
  const nonce = randomBytes(NONCE);
  const cipher = createCipheriv(CIPHER, key, nonce);
  cipher.setAAD(Buffer.from(about));
  return Buffer.concat([nonce, cipher.update(bytes), cipher.final(), cipher.getAuthTag()]);
}

/** `data-loss` when it is not what was sealed. */
export function unseal(key: Uint8Array, about: string, sealed: Uint8Array): Uint8Array {
  try {
    const decipher = createDecipheriv(CIPHER, key, sealed.subarray(0, NONCE));
    decipher.setAAD(Buffer.from(about));
    decipher.setAuthTag(sealed.subarray(sealed.length - TAG));
    return Buffer.concat([decipher.update(sealed.subarray(NONCE, sealed.length - TAG)), decipher.final()]);
  } catch (cause) {
    throw new HavreError("data-loss", `Chunk ${about} is damaged`, { cause });
  }
}
