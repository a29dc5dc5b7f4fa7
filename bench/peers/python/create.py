"""A create with FastAPI, SQLAlchemy and asyncpg on PostgreSQL: the statements of a file, a commit a
request, one worker.

Usage: python create.py STATEMENTS; DATABASE_SOCKET is the folder of the socket, DATABASE_NAME the
database.
"""

import hashlib
import json
import os
import re
import socket
import sys
import time
import uuid
from typing import Any

import uvicorn
from fastapi import FastAPI, Header
from pydantic import BaseModel
from sqlalchemy import BigInteger, String, bindparam, text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

NUMBERS = ("number", "now")


class Envelope(BaseModel):
    request: dict[str, Any]
    request_hash: str


def prepared(statement):
    """The statement with the names that SQLAlchemy wants."""
    params = statement["params"]
    sql = re.sub(r"\$(\d+)", lambda found: ":" + params[int(found[1]) - 1], statement["sql"])
    binds = [bindparam(name, type_=BigInteger() if name in NUMBERS else String()) for name in set(params)]
    return statement["name"], set(params), text(sql).bindparams(*binds)


with open(sys.argv[1], encoding="utf-8") as file:
    STATEMENTS = [prepared(statement) for statement in json.load(file)]
ALONE = [one for one in STATEMENTS if one[0] == "generation"]

ENGINE = create_async_engine(
    f"postgresql+asyncpg://onepath@/{os.environ['DATABASE_NAME']}?host={os.environ['DATABASE_SOCKET']}",
    pool_size=16,
    max_overflow=0,
)
SESSION = async_sessionmaker(ENGINE, class_=AsyncSession, expire_on_commit=False)
app = FastAPI()
counter = iter(range(1 << 62))


def new_id(now: int) -> str:
    """A UUID of version 7, so that ids grow with time as they do everywhere else."""
    number = (now << 80) | (uuid.uuid4().int & ((1 << 80) - 1))
    return str(uuid.UUID(int=(number & ~(0xF << 76)) | (7 << 76)))


async def create(envelope: Envelope, tenant: str, statements) -> dict[str, str]:
    content = envelope.request
    now = time.time_ns() // 1_000_000
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    values = {
        "id": new_id(now),
        # Rows of their own where they stand alone: the same requests come twice.
        "tenant": f"fastapi {tenant}" if statements is ALONE else tenant,
        "request": json.dumps(content),
        "hash": digest,
        "key": f"{content.get('cache_key', '')}|{digest}",
        "now": now,
    }
    async with SESSION() as session:
        if statements is ALONE:
            values["number"] = next(counter)
        for name, params, sql in statements:
            result = await session.execute(sql, {param: values[param] for param in params})
            if name == "number":
                values["number"] = result.scalar_one()
            elif result.returns_rows and result.first() is not None:
                raise RuntimeError("it is there already")
        await session.commit()
    return {"id": values["id"], "status": "pending", "request_hash": digest}


@app.post("/api/v1/generations", status_code=202)
async def all_rows(envelope: Envelope, authorization: str = Header()) -> dict[str, str]:
    return await create(envelope, authorization, STATEMENTS)


@app.post("/one", status_code=202)
async def one_row(envelope: Envelope, authorization: str = Header()) -> dict[str, str]:
    return await create(envelope, authorization, ALONE)


if __name__ == "__main__":
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    print(f"127.0.0.1:{listener.getsockname()[1]}", flush=True)
    uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False)).run(sockets=[listener])
