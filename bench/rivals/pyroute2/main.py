"""pyroute2 as a driver of the benchmarks: see bench/drivers/helper.ts for what it reads and answers.

Its nftables module knows tables, chains and rules, and no sets; here it makes and deletes tables.
"""

import json
import socket
import sys
import time

from pyroute2.nftables.main import NFTables

FAMILIES = {'inet': 1, 'ip': socket.AF_INET, 'bridge': 7}

def run(work):
    for command in work['commands']:
        [(verb, target)] = command.items()
        [(kind, node)] = target.items()
        if kind != 'table' or verb not in ('add', 'delete'):
            raise ValueError(f'pyroute2 has no way to {verb} a {kind}')
        with NFTables(nfgen_family=FAMILIES[node['family']]) as nft:
            nft.table('add' if verb == 'add' else 'del', name=node['name'])

def main():
    prepared = []
    for line in sys.stdin:
        word, _, rest = line.rstrip('\n').partition(' ')
        try:
            if word == 'prepare':
                prepared.append(json.loads(rest))
                answer = 'ready'
            elif word == 'go':
                start = time.perf_counter_ns()
                run(prepared[int(rest)])
                answer = time.perf_counter_ns() - start
            else:
                with NFTables() as nft:
                    answer = len(nft.get_rules())
        except Exception as error:
            answer = f'error {type(error).__name__}: {error}'
        print(answer, flush=True)

main()
