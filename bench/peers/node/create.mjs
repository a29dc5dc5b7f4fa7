// A create with Fastify and pg on PostgreSQL: the statements of a file, a commit a request.
//
// Usage: node create.mjs STATEMENTS; DATABASE_SOCKET is the folder of the socket, DATABASE_NAME the
// database.

import { createHash, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import Fastify from "fastify";
import pg from "pg";
import stringify from "safe-stable-stringify";

const statements = JSON.parse(readFileSync(process.argv[2], "utf8"));
const alone = statements.filter((one) => one.name === "generation");
const pool = new pg.Pool({
  host: process.env.DATABASE_SOCKET,
  database: process.env.DATABASE_NAME,
  user: "onepath",
  max: 16,
});
let numbers = 0;

/** A UUID of version 7, so that ids grow with time as they do everywhere else. */
function newId(now) {
  const hex = now.toString(16).padStart(12, "0") + "7" + randomBytes(10).toString("hex").slice(1);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

function run(client, { name, sql, params }, values) {
  return client.query({ name, text: sql, values: params.map((param) => values[param]) });
}

async function create(request, reply, which) {
  const content = request.body.request;
  const now = Date.now();
  const hash = createHash("sha256").update(stringify(content)).digest("hex");
  const id = newId(now);
  const values = {
    id,
    // Rows of their own where they stand alone: the same requests come twice.
    tenant: (which === alone ? "fastify " : "") + request.headers.authorization,
    request: JSON.stringify(content),
    hash,
    key: `${content.cache_key ?? ""}|${hash}`,
    now,
  };
  const client = await pool.connect();
  try {
    if (which === alone) {
      values.number = numbers++;
      for (const one of alone) await run(client, one, values);
    } else {
      await client.query("BEGIN");
      for (const one of statements) {
        const { rows } = await run(client, one, values);
        if (one.name === "number") values.number = rows[0].last;
        else if (rows.length > 0) throw new Error("it is there already");
      }
      await client.query("COMMIT");
    }
  } catch (error) {
    await client.query("ROLLBACK");
    throw error;
  } finally {
    client.release();
  }
  reply.code(202);
  return { id, status: "pending", request_hash: hash };
}

const app = Fastify({ bodyLimit: 1 << 20 });
app.post("/api/v1/generations", (request, reply) => create(request, reply, statements));
app.post("/one", (request, reply) => create(request, reply, alone));
await app.listen({ host: "127.0.0.1", port: 0 });
console.log(`127.0.0.1:${app.server.address().port}`);
