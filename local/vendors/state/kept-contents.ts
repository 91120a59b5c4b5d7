import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readSync, rmSync, statSync } from "node:fs";
import path from "node:path";
import * as v from "valibot";
import { type Content, digestOf, generatedContent, hashOf, PIECE } from "../content.ts";
import { writeWholeFile } from "./write-file.ts";

const SIZE = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

/**
 * For a generated content only its size is stored; every other content is a file whose name is its digest.
 */
export const KEPT_CONTENT = v.union([
  v.strictObject({ generated: SIZE }),
  v.strictObject({ sha256: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)), size: SIZE }),
]);
export type KeptContent = v.InferOutput<typeof KEPT_CONTENT>;

/**
 * The bytes of a stand-in's files on disk. Each content is stored once, even if many revisions and copies
 * have it, and is written only when it is new. So any other change writes only the state's JSON.
 */
export class KeptContents {
  readonly #folder: string;
  readonly #written = new Set<string>();

  constructor(folder: string) {
    this.#folder = folder;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  }

  keep(content: Content): KeptContent {
    if (content.isGenerated === true) return { generated: content.size };
    const sha256 = digestOf(content, "sha256");
    const file = this.#file(sha256);
    if (!this.#written.has(sha256) && !existsSync(file)) {
      writeWholeFile(file, content.read(0, content.size));
    }
    this.#written.add(sha256);
    return { sha256, size: content.size };
  }

  /** @throws {Error} the content's file is missing or has another size */
  content(kept: KeptContent): Content {
    if ("generated" in kept) return generatedContent(kept.generated);
    const file = this.#file(kept.sha256);
    const size = statSync(file, { throwIfNoEntry: false })?.size;
    if (size !== kept.size) throw new Error(`${file} has ${size ?? "no"} bytes instead of ${kept.size}`);
    this.#written.add(kept.sha256);
    const content = fileContent(file, kept.size);
    hashOf(content, "sha256", () => kept.sha256);
    return content;
  }

  /**
   * Removes the files that no node refers to. Call it only at the start: later a download may still read
   * such a file.
   */
  sweep(): void {
    for (const name of readdirSync(this.#folder)) {
      if (!this.#written.has(name)) rmSync(path.join(this.#folder, name), { force: true });
    }
  }

  #file(sha256: string): string {
    return path.join(this.#folder, sha256);
  }
}

/** Reads pieces on demand. Opens the file for each piece, so that an abandoned read leaves no file open. */
function fileContent(file: string, size: number): Content {
  return {
    size,
    *read(start, end) {
      for (let at = start; at < end; at += PIECE) yield readPiece(file, at, Math.min(at + PIECE, end));
    },
  };
}

function readPiece(file: string, start: number, end: number): Uint8Array {
  const piece = Buffer.alloc(end - start);
  const descriptor = openSync(file, "r");
  try {
    const count = readSync(descriptor, piece, 0, piece.length, start);
    if (count < piece.length) throw new Error(`${file} ends before byte ${end}`);
    return piece;
  } finally {
    closeSync(descriptor);
  }
}
