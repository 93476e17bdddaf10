import { VERSION } from "../base/mod.ts";

export const version: string = VERSION;
export const versionLine = `Havre version ${version}`;
