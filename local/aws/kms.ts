import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import path from "node:path";
import {
  type AccessNeed,
  AwsError,
  type AwsOperation,
  type AwsRequest,
  type AwsService,
  jsonAnswer,
  jsonBody,
  refuseUnknownParameters,
  targetOperation,
} from "./service.ts";
import type { AwsKey } from "./types.ts";

type EncryptionContext = Readonly<Record<string, string>>;

interface MasterKey extends AwsKey {
  readonly material: Buffer;
}

/**
 * KMS with symmetric keys: real AES-256-GCM. A file of mode 600 stores the master keys, so that ciphertexts
 * can be decrypted after a restart.
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_Operations.html
 *
 * The content of KMS's ciphertext blobs is not public; ours hold a version, the key's id, nonce, tag and
 * ciphertext.
 * @param keys the keys of the template; keys with other ids in the folder stay there
 */
export async function localKms(folder: string, keys: readonly AwsKey[]): Promise<AwsService> {
  const masterKeys = await loadMasterKeys(folder, keys);

  /** KMS takes a key's id or its ARN; aliases are not used here. */
  function keyByName(name: unknown): MasterKey {
    const found = masterKeys.find((key) => key.id === name || key.arn === name);
    if (found === undefined) throw new AwsError(400, "NotFoundException", `Invalid keyId '${String(name)}'`);
    return found;
  }

  const operations: Record<string, (body: Record<string, unknown>) => Operation> = {
    GenerateDataKey(body) {
      refuseUnknownParameters("GenerateDataKey", body, [
        "KeyId",
        "KeySpec",
        "NumberOfBytes",
        "EncryptionContext",
      ]);
      const key = keyByName(body.KeyId);
      const context = encryptionContext(body.EncryptionContext);
      const length = dataKeyLength(body);
      return operation("GenerateDataKey", key, context, () => {
        const plaintext = randomBytes(length);
        const blob = encrypt(key, plaintext, context);
        return {
          KeyId: key.arn,
          Plaintext: plaintext.toString("base64"),
          CiphertextBlob: blob.toString("base64"),
        };
      });
    },
    Decrypt(body) {
      refuseUnknownParameters("Decrypt", body, [
        "KeyId",
        "CiphertextBlob",
        "EncryptionContext",
        "EncryptionAlgorithm",
      ]);
      symmetricOnly(body);
      const blob = bytes("CiphertextBlob", body.CiphertextBlob, 6144);
      const key = keyOfBlob(blob, masterKeys);
      if (body.KeyId !== undefined && keyByName(body.KeyId) !== key) {
        throw new AwsError(
          400,
          "IncorrectKeyException",
          "The key ID in the request does not identify a CMK that can perform this operation.",
        );
      }
      const context = encryptionContext(body.EncryptionContext);
      return operation("Decrypt", key, context, () => ({
        KeyId: key.arn,
        Plaintext: decrypt(key, blob, context).toString("base64"),
        EncryptionAlgorithm: "SYMMETRIC_DEFAULT",
      }));
    },
  };

  return {
    name: "kms",
    bodyLimit: 64 * 1024,
    errors: {
      accessDenied: [400, "AccessDeniedException"],
      unknownAccessKey: [400, "UnrecognizedClientException"],
      badSignature: [400, "InvalidSignatureException"],
      throttled: [400, "ThrottlingException"],
      internal: [500, "KMSInternalException"],
    },
    read(request: AwsRequest): AwsOperation {
      const name = targetOperation(request, "TrentService");
      const read = Object.hasOwn(operations, name) ? operations[name] : undefined;
      if (read === undefined)
        throw new AwsError(400, "UnknownOperationException", `the local KMS has no ${name}`);
      const { need, act } = read(jsonBody(request));
      return { needs: [need], act: async () => jsonAnswer("1.1", 200, act()) };
    },
    errorAnswer: (error) => jsonAnswer("1.1", error.status, { __type: error.code, message: error.message }),
    close: async () => {},
  };
}

interface Operation {
  readonly need: AccessNeed;
  act(): Record<string, unknown>;
}

/** Condition keys: https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html */
function operation(
  name: string,
  key: MasterKey,
  encryption: EncryptionContext,
  act: () => Record<string, unknown>,
): Operation {
  const context: Record<string, string[]> = {};
  for (const [entry, value] of Object.entries(encryption)) {
    context[`kms:encryptioncontext:${entry.toLowerCase()}`] = [value];
  }
  const names = Object.keys(encryption);
  if (names.length > 0) context["kms:encryptioncontextkeys"] = names;
  return { need: { action: `kms:${name}`, resource: key.arn, context }, act };
}

async function loadMasterKeys(folder: string, keys: readonly AwsKey[]): Promise<MasterKey[]> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const file = path.join(folder, "keys.json");
  const kept = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return "{}";
    throw error;
  });
  const materials = JSON.parse(kept) as Record<string, string>;
  const missing = keys.filter((key) => !Object.hasOwn(materials, key.id));
  for (const key of missing) materials[key.id] = randomBytes(32).toString("base64");
  if (missing.length > 0) {
    // The rename replaces the file at once: with half a file no ciphertext could be decrypted.
    await writeFile(`${file}.new`, JSON.stringify(materials), { mode: 0o600, flush: true });
    await rename(`${file}.new`, file);
  }
  return keys.map((key) => {
    const material = Buffer.from(materials[key.id] ?? "", "base64");
    if (material.length !== 32) throw new Error(`${file} holds no 256-bit key for ${key.id}`);
    return { ...key, material };
  });
}

const nonceBytes = 12;
const tagBytes = 16;

function encrypt(key: MasterKey, plaintext: Buffer, context: EncryptionContext): Buffer {
  const header = blobHeader(key.id);
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv("aes-256-gcm", key.material, nonce);
  cipher.setAAD(Buffer.concat([header, canonicalContext(context)]));
  const ciphertext = Buffer.concat([cipher.update(plaintext), cipher.final()]);
  return Buffer.concat([header, nonce, cipher.getAuthTag(), ciphertext]);
}

function decrypt(key: MasterKey, blob: Buffer, context: EncryptionContext): Buffer {
  const header = blobHeader(key.id);
  const sealed = blob.subarray(header.length);
  const decipher = createDecipheriv("aes-256-gcm", key.material, sealed.subarray(0, nonceBytes));
  decipher.setAAD(Buffer.concat([header, canonicalContext(context)]));
  decipher.setAuthTag(sealed.subarray(nonceBytes, nonceBytes + tagBytes));
  try {
    return Buffer.concat([decipher.update(sealed.subarray(nonceBytes + tagBytes)), decipher.final()]);
  } catch {
    throw invalidCiphertext();
  }
}

function blobHeader(keyId: string): Buffer {
  const id = Buffer.from(keyId);
  return Buffer.concat([Buffer.from([1, id.length]), id]);
}

/**
 * The key that a blob names.
 * @throws {AwsError} InvalidCiphertextException, or KMS's error for a key that does not exist
 */
function keyOfBlob(blob: Buffer, keys: readonly MasterKey[]): MasterKey {
  const idLength = blob[1] ?? 0;
  if (blob[0] !== 1 || blob.length < 2 + idLength + nonceBytes + tagBytes) throw invalidCiphertext();
  const id = blob.subarray(2, 2 + idLength).toString();
  const key = keys.find((candidate) => candidate.id === id);
  if (key !== undefined) return key;
  throw new AwsError(
    400,
    "AccessDeniedException",
    "The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are not allowed to access.",
  );
}

function invalidCiphertext(): AwsError {
  // As in KMS, the error has only a code: it must not say whether blob, key or context is wrong.
  return new AwsError(400, "InvalidCiphertextException", "");
}

/** The pairs sorted by name, because their order in the request has no meaning. */
function canonicalContext(context: EncryptionContext): Buffer {
  const pairs = Object.entries(context).sort(([a], [b]) => (a < b ? -1 : 1));
  return Buffer.from(JSON.stringify(pairs));
}

function encryptionContext(value: unknown): EncryptionContext {
  if (value === undefined || value === null) return {};
  if (typeof value !== "object" || !Object.values(value).every((entry) => typeof entry === "string")) {
    throw new AwsError(400, "SerializationException", "EncryptionContext must be a map of text to text");
  }
  return value as EncryptionContext;
}

function dataKeyLength(body: Record<string, unknown>): number {
  const { KeySpec, NumberOfBytes } = body;
  if ((KeySpec === undefined) === (NumberOfBytes === undefined)) {
    throw new AwsError(400, "ValidationException", "Please specify either number of bytes or key spec.");
  }
  const length = KeySpec === "AES_256" ? 32 : KeySpec === "AES_128" ? 16 : NumberOfBytes;
  if (typeof length === "number" && Number.isInteger(length) && length >= 1 && length <= 1024) return length;
  throw new AwsError(
    400,
    "ValidationException",
    "KeySpec must be AES_256 or AES_128, NumberOfBytes from 1 to 1024",
  );
}

function bytes(name: string, value: unknown, limit: number): Buffer {
  const decoded = typeof value === "string" ? Buffer.from(value, "base64") : Buffer.alloc(0);
  if (decoded.length >= 1 && decoded.length <= limit) return decoded;
  throw new AwsError(400, "ValidationException", `${name} must have from 1 to ${limit} bytes`);
}

function symmetricOnly(body: Record<string, unknown>): void {
  if (body.EncryptionAlgorithm !== undefined && body.EncryptionAlgorithm !== "SYMMETRIC_DEFAULT") {
    throw new AwsError(400, "InvalidKeyUsageException", "the local keys are symmetric");
  }
}
