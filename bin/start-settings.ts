import path from "node:path";

const DEFAULT_PORT = 4000;

/** @throws {Error} `PORT` is not a port number */
export function portOf(text: string | undefined): number {
  if (text === undefined || text === "") return DEFAULT_PORT;
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new Error(`PORT must be a number from 0 to 65535, not ${text}`);
  return port;
}

/** The folder of `LINKSPAN_DATA`, or `.linkspan` in the current folder; absolute. */
export function dataFolderOf(text: string | undefined): string {
  return path.resolve(text || ".linkspan");
}

/** Prints one line for the user of `npm start`, with DEBUG also the stack, and exits with code 1. */
export function couldNotStart(error: unknown): never {
  const problem = error as NodeJS.ErrnoException;
  console.error(
    problem.code === "EADDRINUSE"
      ? `Port ${process.env.PORT || DEFAULT_PORT} is in use. Stop what uses it, or choose another: PORT=4001 npm start`
      : `Linkspan could not start: ${problem.message}`,
  );
  if (process.env.DEBUG !== undefined) console.error(problem.stack);
  process.exit(1);
}
