import { mkdirSync, readFileSync } from "node:fs";
import path from "node:path";
import * as v from "valibot";
import { KeptContents } from "./kept-contents.ts";
import { writeWholeFile } from "./write-file.ts";

/** The state that a stand-in stores over a restart. */
export interface KeptState<State> {
  readonly schema: v.GenericSchema<unknown, State>;
  keep(contents: KeptContents): State;
  restore(state: State, contents: KeptContents): void;
}

/** Writes the state some time after each possible change, and at the end. */
export interface StateKeeper {
  changed(): void;
  /** @throws {Error} the last changes cannot be written */
  close(): void;
}

const FORMAT = 1;
/** The changes of this time may be lost when the process is killed. */
const WRITE_AFTER_MS = 250;

/**
 * Restores the state of an earlier run from the folder (`state.json` and the contents of files), or calls
 * `beginAnew`, and stores every later change. Without a folder everything stays in memory.
 * @throws {Error} the state cannot be read; the message names its file
 */
export function keepState<State>(
  folder: string | undefined,
  state: KeptState<State>,
  beginAnew: () => void,
): StateKeeper {
  if (folder === undefined) {
    beginAnew();
    return { changed() {}, close() {} };
  }
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const file = path.join(folder, "state.json");
  const contents = new KeptContents(path.join(folder, "contents"));
  let written: string | undefined;
  try {
    written = readText(file);
    if (written !== undefined) {
      const envelope = v.strictObject({ format: v.literal(FORMAT), state: state.schema });
      state.restore(v.parse(envelope, JSON.parse(written)).state, contents);
    }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(
      `${file} cannot be read: ${reason}. Delete ${folder} to start this stand-in without its earlier data`,
      {
        cause: error,
      },
    );
  }
  if (written === undefined) beginAnew();

  const write = (): void => {
    // The contents are on disk before the state refers to them.
    const text = JSON.stringify({ format: FORMAT, state: state.keep(contents) });
    if (text === written) return;
    writeWholeFile(file, [text]);
    written = text;
  };
  // Written at once, so that ids that were made now stay the same, even after a kill.
  write();
  contents.sweep();
  let timer: NodeJS.Timeout | undefined;
  return {
    changed() {
      timer ??= setTimeout(() => {
        timer = undefined;
        try {
          write();
        } catch (error) {
          // A full disk must not end the platform; the next change tries again.
          console.error(`stand-in: ${file} cannot be written:`, error);
        }
      }, WRITE_AFTER_MS).unref();
    },
    close() {
      clearTimeout(timer);
      timer = undefined;
      write();
    },
  };
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
