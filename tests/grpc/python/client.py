"""A proxyless client in gRPC's C core: makes a call for each line that it reads, and prints a line of what came of it.

client.py TARGET METHOD, with the bootstrap in GRPC_XDS_BOOTSTRAP_CONFIG
"""

import sys

import grpc

CALL_DEADLINE = 30

target, method = sys.argv[1:]
with grpc.insecure_channel(target) as channel:
    call = channel.unary_unary(method)
    for _ in sys.stdin:
        try:
            line = "OK " + call(b"", timeout=CALL_DEADLINE).decode()
        except grpc.RpcError as error:
            line = f"{error.code().name} {error.details()}"
        print(" ".join(line.split()), flush=True)
