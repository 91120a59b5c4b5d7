import { DecryptCommand, GenerateDataKeyCommand, KMSClient } from "@aws-sdk/client-kms";
import type { KeyService, KeyUnwrapper } from "../core/vault/ports.ts";

export interface KmsOptions {
  /** ARN of the stack's key. */
  readonly keyArn: string;
  /** Another client than the environment's, for the operator's command line. */
  readonly client?: KMSClient;
}

/**
 * The functions' client. Its timeouts are short: KMS answers in milliseconds, and a refresh has 10 s to get
 * its key (docs/grant-life.md).
 */
const newClient = (): KMSClient =>
  new KMSClient({
    maxAttempts: 3,
    requestHandler: { connectionTimeout: 1000, requestTimeout: 2000, throwOnRequestTimeout: true },
  });

/**
 * Decrypts data keys with AWS KMS. Does not generate keys, because the functions' roles allow only Decrypt.
 * The encryption context binds a wrapped key to its organization.
 * https://docs.aws.amazon.com/kms/latest/developerguide/encrypt_context.html
 */
export function kmsKeyService({ keyArn, client = newClient() }: KmsOptions): KeyUnwrapper {
  return {
    async unwrap(organizationId, wrapped) {
      const { Plaintext } = await client.send(
        new DecryptCommand({
          KeyId: keyArn,
          CiphertextBlob: wrapped,
          EncryptionContext: { organization: organizationId },
        }),
      );
      if (Plaintext === undefined) throw new Error("KMS answered without a plaintext");
      return Plaintext;
    },
  };
}

/**
 * Generates and decrypts data keys, for the operator's command line, whose credentials allow both.
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_GenerateDataKey.html
 */
export function kmsDataKeyService({ keyArn, client = newClient() }: KmsOptions): KeyService {
  return {
    ...kmsKeyService({ keyArn, client }),
    async generateDataKey(organizationId) {
      const { Plaintext, CiphertextBlob } = await client.send(
        new GenerateDataKeyCommand({
          KeyId: keyArn,
          KeySpec: "AES_256",
          EncryptionContext: { organization: organizationId },
        }),
      );
      if (Plaintext === undefined || CiphertextBlob === undefined) {
        throw new Error("KMS answered without a data key");
      }
      return { plaintext: Plaintext, wrapped: CiphertextBlob };
    },
  };
}
