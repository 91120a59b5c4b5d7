import type { App, CreatedInstance } from "../../e2e/app.ts";

/** The callbacks of one connector, as the platform receives them. */
export interface Callbacks {
  /** Takes a request to the platform; returns the text of the page, or `undefined` for other requests. */
  take(url: URL): string | undefined;
  /** @throws {Error} nobody has come back in that time */
  next(state: string, timeoutMs: number): Promise<URL>;
}

export function callbacksOf(connector: string): Callbacks {
  let waiting: { readonly state: string; readonly resolve: (url: URL) => void } | undefined;
  return {
    take(url) {
      if (url.pathname !== `/callback/${connector}`) return undefined;
      // Anybody on this machine can open this URL; only the vendor's answer has the state.
      if (waiting === undefined || url.searchParams.get("state") !== waiting.state)
        return "No sign-in waits for this answer.\n";
      waiting.resolve(url);
      return "Linkspan has the vendor's answer. The terminal shows how it goes on.\n";
    },
    next(state, timeoutMs) {
      const { promise, resolve, reject } = Promise.withResolvers<URL>();
      const timer = setTimeout(
        () => reject(new Error(`nobody has signed in within ${timeoutMs / 1000} s`)),
        timeoutMs,
      );
      waiting = { state, resolve };
      return promise.finally(() => {
        clearTimeout(timer);
        waiting = undefined;
      });
    },
  };
}

/**
 * Connects an account: prints the authorization URL, and waits until a person has signed in there.
 * @param configuration what a vendor's URLs need: the host of an account, for example
 * @throws {Error} nobody has signed in, or the vendor refuses
 */
export async function signIn(
  app: App,
  connector: string,
  configuration: Readonly<Record<string, string>>,
  callbacks: Callbacks,
  timeoutMs: number,
  print: (line: string) => void,
): Promise<CreatedInstance> {
  const { oauthUrl, state } = await app.authorizationUrl(connector, configuration);
  print(`Open this URL, and sign in with a test account:\n\n  ${oauthUrl}\n`);
  const back = await callbacks.next(state, timeoutMs);
  const error = back.searchParams.get("error");
  if (error !== null)
    throw new Error(`the vendor refuses: ${error} ${back.searchParams.get("error_description") ?? ""}`);
  return await app.createInstance(connector, back, { configuration, name: "verify:vendor" });
}
