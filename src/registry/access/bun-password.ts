import type { VerifyPassword } from "./users.ts";

/** Bun's bcrypt, off the main thread. */
export const verifyPassword: VerifyPassword = (password, hash) => Bun.password.verify(password, hash, "bcrypt");
