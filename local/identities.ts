import { randomBytes } from "node:crypto";
import { readFileSync, renameSync, writeFileSync } from "node:fs";

export interface Identity {
  /** `ASIA…`, as for temporary credentials of an AWS role. */
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** Credentials that the platform gives to functions, to the operator and to the stand-ins' apps. */
export interface PlatformIdentities {
  /** Makes the identity at the first call; returns the same one at every later call. */
  of(name: string): Identity;
}

/** Identities in a file (mode 600), so that registrations with them survive a restart. */
export function keptIdentities(file: string): PlatformIdentities {
  let known: Record<string, Identity> = {};
  try {
    known = JSON.parse(readFileSync(file, "utf8")) as Record<string, Identity>;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT")
      throw new Error(`${file} cannot be read`, { cause: error });
  }
  return {
    of(name) {
      const found = known[name];
      if (found !== undefined) return found;
      const made: Identity = {
        accessKeyId: `ASIA${randomBytes(10).toString("hex").toUpperCase().slice(0, 16)}`,
        secretAccessKey: randomBytes(30).toString("base64url"),
      };
      known = { ...known, [name]: made };
      writeFileSync(`${file}.new`, JSON.stringify(known, null, 2), { mode: 0o600 });
      renameSync(`${file}.new`, file);
      return made;
    },
  };
}
