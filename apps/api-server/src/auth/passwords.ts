/** Passwords as scrypt hashes, `salt:hash` in hex. The cost is OWASP's for scrypt with little memory. */
import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from "node:crypto";

const COST: ScryptOptions = Object.freeze({ N: 16_384, r: 8, p: 5, maxmem: 64 * 1024 * 1024 });
const SALT_BYTES = 16;
const HASH_BYTES = 32;

/** What `UserRow.password_hash` holds for `password`. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const hash = await derive(password, salt);
  return `${salt.toString("hex")}:${hash.toString("hex")}`;
}

/** False also for a hash that is not of our form. */
export async function verifyPassword(password: string, passwordHash: string): Promise<boolean> {
  const [salt = "", expected = ""] = passwordHash.split(":");
  const wanted = Buffer.from(expected, "hex");
  const hash = await derive(password, Buffer.from(salt, "hex"));
  return wanted.length === hash.length && timingSafeEqual(wanted, hash);
}

function derive(password: string, salt: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(password.normalize("NFKC"), salt, HASH_BYTES, COST, (error, key) => {
      if (error === null) resolve(key);
      else reject(error);
    });
  });
}
