import type { Connector } from "../../connectors/define-connector.ts";
import { configurationFields } from "./configuration-fields.ts";

/** `clientSecret`, `myPassword2`, `secretkey`: secret at any place in a word. */
const ANYWHERE = ["password", "passphrase", "passwd", "secret"];
/**
 * `accesstoken`, `apikey`: secret at the end of a word. At the start of a word they are about something else:
 * `tokenurl`.
 */
const AT_THE_END = [
  "token",
  "tokens",
  "credential",
  "credentials",
  "signature",
  "signatures",
  "apikey",
  "apikeys",
  "privatekey",
  "privatekeys",
];
/** Words that end in `pass` but do not mean a password. */
const NO_PASS = ["bypass", "compass", "encompass", "surpass", "trespass", "underpass", "overpass"];
/** `token endpoint`, `token type`: the URL and the type of a token are not secret. */
const ABOUT_A_TOKEN = ["endpoint", "endpoints", "url", "urls", "uri", "uris", "type", "types"];
/** `password expiry`, `token expires in`: the lifetime of a secret is not secret either. */
const HOW_LONG = ["expiry", "expires", "expire", "expiration", "lifetime", "ttl"];

/**
 * Whether a configuration value is stored sealed and shown masked. A declared field says itself whether it is
 * secret, and values in the connector's URLs are public. For any other key, the words of its name decide.
 * @param connector of the instance; undefined: this version does not know it
 */
export function isSecretKey(connector: Connector | undefined, key: string): boolean {
  if (connector === undefined) return isSecretName(key);
  const field = configurationFields(connector).find((each) => each.key === key);
  if (field !== undefined) return field.secret === true;
  const { authorizationUrl, tokenUrl } = connector.oauth2;
  if ([authorizationUrl, tokenUrl].some((url) => url.includes(`{${key}}`))) return false;
  return isSecretName(key);
}

/** The values whose keys are secret, and the others. */
export function separateSecrets(
  connector: Connector | undefined,
  values: Readonly<Record<string, string>>,
): { readonly plain: Record<string, string>; readonly secret: Record<string, string> } {
  const entries = Object.entries(values);
  return {
    plain: Object.fromEntries(entries.filter(([key]) => !isSecretKey(connector, key))),
    secret: Object.fromEntries(entries.filter(([key]) => isSecretKey(connector, key))),
  };
}

/**
 * Judges a name by its words, however they are joined: `api_token`, `apiToken`, `API-TOKEN`, `api.token2`. In doubt the value
 * is masked.
 */
export function isSecretName(name: string): boolean {
  const text = name.normalize("NFKC");
  // `acronymWords` reads `APIKey` as "API Key"; `camelWords` reads it as "APIKey". Either may find a secret.
  return [camelWords(text), acronymWords(text)].some((words) =>
    words.some((_, index) => isSecretAt(words, index)),
  );
}

/** A new word where a capital follows a small letter. */
function camelWords(text: string): string[] {
  return wordsOf(text.replace(/(\p{Ll})(\p{Lu})/gu, "$1 $2"));
}

/** Like `camelWords`, and also starts a new word where a capitalized word follows capitals: `DBPass`. */
function acronymWords(text: string): string[] {
  return wordsOf(text.replace(/(\p{Ll})(\p{Lu})/gu, "$1 $2").replace(/(\p{Lu})(\p{Lu}\p{Ll})/gu, "$1 $2"));
}

function wordsOf(text: string): string[] {
  return text
    .toLowerCase()
    .split(/[^\p{L}]+/u)
    .filter((word) => word !== "");
}

function isSecretAt(words: readonly string[], index: number): boolean {
  const [word = "", after = ""] = [words[index], words[index + 1]];
  if (HOW_LONG.includes(after)) return false;
  if (word.startsWith("pass") || word === "pwd") return true;
  if (word.endsWith("pass") && !NO_PASS.includes(word)) return true;
  if (ANYWHERE.some((part) => word.includes(part))) return true;
  if (word === "key" || word === "keys") {
    // `api key`, and with a word between: `private ssh key`, `api v2 key`, but not `api public key`.
    const before = words[index - 1] === "public" ? [] : words.slice(Math.max(0, index - 2), index);
    return before.some((each) => each === "api" || each === "private") && !isId(after);
  }
  if (!AT_THE_END.some((part) => word.endsWith(part))) return false;
  if (/keys?$/.test(word)) return !isId(after);
  return !(/tokens?$/.test(word) && ABOUT_A_TOKEN.includes(after));
}

/** `private key id`, `api key id`: the name of a key is not a key. */
function isId(word: string): boolean {
  return word === "id" || word === "ids";
}
