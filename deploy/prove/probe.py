"""Run on both machines, as text handed to their Python: the likeliest next token, many times over.

    python -c "$(cat probe.py)" MODEL.gguf

Prints the ids, and of the first step the logits of the ten likeliest tokens: no notice, no card and
no sentence that is left out stands between these and llama.cpp.
"""

import json
import sys
from itertools import islice

from llama_cpp import Llama

PROMPT = b"Asthma is a disease of the lungs. People who have it"
STEPS = 64


def main(path: str) -> None:
    """Prints what the model at this path says next."""
    model = Llama(path, n_ctx=256, logits_all=True, n_threads=2, verbose=False)
    prompt = model.tokenize(PROMPT)
    ids = [int(token) for token in islice(model.generate(prompt, temp=0.0), STEPS)]
    first = model.scores[len(prompt) - 1]
    likeliest = sorted(range(len(first)), key=lambda one: -first[one])[:10]
    print(json.dumps({"ids": ids, "logits": {str(one): float(first[one]) for one in likeliest}}))


if __name__ == "__main__":
    main(sys.argv[1])
