"""PyTorch's side of the benchmark: reads requests as lines of JSON, answers each with a line of JSON.

{"problem": name, "folder": path}     reads the weights and data that the folder holds
{"quantity": name, "repeats": n}      computes it n times; answers {"seconds": [...], "result": file}

Where PyTorch offers several ways to one quantity, all are timed once and the fastest is used from then on.
"""

import json
import math
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F

try:
    from torch.func import grad, jvp
except ImportError:
    try:
        from functorch import grad, jvp
    except ImportError:
        grad = jvp = None


def mlp(w, x):
    x = torch.tanh(x @ w["w0"] + w["b0"])
    x = torch.tanh(x @ w["w1"] + w["b1"])
    return x @ w["w2"] + w["b2"]


def cnn(w, x):
    x = F.max_pool2d(torch.relu(F.conv2d(x, w["k0"], w["b0"])), 2)
    x = F.max_pool2d(torch.relu(F.conv2d(x, w["k1"], w["b1"])), 2)
    return x.flatten(1) @ w["w"] + w["b"]


def transformer(w, tokens, heads=4, blocks=2):
    def norm(x, suffix):
        return F.layer_norm(x, x.shape[-1:], w["scale" + suffix], w["offset" + suffix])

    x = w["embedding"][tokens] + w["position"]
    batch, length, width = x.shape
    for i in range(blocks):
        q, k, v = (
            part.reshape(batch, length, heads, width // heads).transpose(1, 2)
            for part in (norm(x, f"{i}a") @ w[f"qkv{i}"]).split(width, -1)
        )
        attention = torch.softmax(q @ k.transpose(2, 3) / math.sqrt(width // heads), -1)
        x = x + (attention @ v).transpose(1, 2).reshape(batch, length, width) @ w[f"out{i}"]
        hidden = F.gelu(norm(x, f"{i}b") @ w[f"up{i}"] + w[f"upBias{i}"])
        x = x + hidden @ w[f"down{i}"] + w[f"downBias{i}"]
    return norm(x, "") @ w["head"]


models = {"mlp": mlp, "cnn": cnn, "transformer": transformer}


class Problem:
    """One network at one point; every method returns a list like the weights."""

    def __init__(self, name, folder):
        with open(f"{folder}/shapes.json") as file:
            shapes = json.load(file)
        self.model = models[name]
        self.names = list(shapes["weights"])
        self.weights = [p.requires_grad_() for p in self.read(f"{folder}/point.f32", shapes)]
        self.direction = self.read(f"{folder}/direction.f32", shapes)
        kind = np.int32 if shapes["inputsAreClasses"] else np.float32
        inputs = torch.from_numpy(np.fromfile(f"{folder}/inputs.bin", kind)).reshape(shapes["inputs"])
        self.inputs = inputs.long() if shapes["inputsAreClasses"] else inputs
        self.labels = torch.from_numpy(np.fromfile(f"{folder}/labels.bin", np.int32)).long()
        self.fastest = {}

        self.kept_gradients = torch.autograd.grad(self.loss(self.weights), self.weights, create_graph=True)
        self.kept_logits = self.logits(self.weights)
        self.kept_probabilities = torch.softmax(self.kept_logits, -1).detach()
        self.kept_dummy = torch.zeros_like(self.kept_logits, requires_grad=True)
        self.kept_pullback = torch.autograd.grad(
            self.kept_logits, self.weights, self.kept_dummy, create_graph=True
        )

    def read(self, path, shapes):
        sizes = [math.prod(shape) for shape in shapes["weights"].values()]
        parts = torch.from_numpy(np.fromfile(path, np.float32)).split(sizes)
        return [p.clone().reshape(s) for p, s in zip(parts, shapes["weights"].values())]

    def logits(self, weights):
        logits = self.model(dict(zip(self.names, weights)), self.inputs)
        return logits.reshape(-1, logits.shape[-1])

    def loss(self, weights):
        return F.cross_entropy(self.logits(weights), self.labels)

    def gradient(self):
        return torch.autograd.grad(self.loss(self.weights), self.weights)

    def hvp_double_backward(self):
        gradients = torch.autograd.grad(self.loss(self.weights), self.weights, create_graph=True)
        return torch.autograd.grad(gradients, self.weights, self.direction)

    def hvp_forward_over_reverse(self):
        weights = tuple(w.detach() for w in self.weights)
        return jvp(grad(lambda *w: self.loss(w), argnums=tuple(range(len(weights)))), weights, tuple(self.direction))[1]

    def hvp_of_kept_graph(self):
        return torch.autograd.grad(self.kept_gradients, self.weights, self.direction, retain_graph=True)

    def ggn_of_kept_graph(self):
        """J v by differentiating u -> u J, then the closed Hessian of softmax cross-entropy, then J^T."""
        (moved,) = torch.autograd.grad(self.kept_pullback, self.kept_dummy, self.direction, retain_graph=True)
        p = self.kept_probabilities
        curved = p * (moved - (p * moved).sum(-1, keepdim=True)) / len(p)
        return torch.autograd.grad(self.kept_logits, self.weights, curved, retain_graph=True)

    def ways(self, quantity):
        return {
            "gradient": [self.gradient],
            "hvp": [self.hvp_double_backward] + ([self.hvp_forward_over_reverse] if jvp else []),
            "hvp linearised": [self.hvp_of_kept_graph],
            "ggn linearised": [self.ggn_of_kept_graph],
        }[quantity]

    def best(self, quantity):
        """The fastest way that works; some operations lack a forward derivative in old versions."""
        if quantity not in self.fastest:
            timed = []
            for way in self.ways(quantity):
                try:
                    timed.append((min(measure(way, 10)[0]), way))
                except (RuntimeError, NotImplementedError):
                    pass
            self.fastest[quantity] = min(timed, key=lambda entry: entry[0])[1]
        return self.fastest[quantity]


def measure(compute, repeats):
    seconds, result = [], None
    for _ in range(repeats):
        start = time.perf_counter()
        result = compute()
        seconds.append(time.perf_counter() - start)
    return seconds, result


def blas():
    """The library of matrix products that is loaded, on which most depends; Debian's default is the slow reference."""
    try:
        with open("/proc/self/maps") as maps:
            names = {line.split("/")[-1].strip() for line in maps if "blas" in line or "mkl" in line}
        return ", ".join(sorted(names)) or "built in"
    except OSError:
        return "unknown"


def main():
    torch.set_num_threads(int(sys.argv[1]))
    print(json.dumps({"version": f"{torch.__version__} (BLAS: {blas()})"}), flush=True)
    problem = folder = None
    for line in sys.stdin:
        request = json.loads(line)
        if "problem" in request:
            folder = request["folder"]
            problem = Problem(request["problem"], folder)
            print(json.dumps({}), flush=True)
            continue
        way = problem.best(request["quantity"])
        seconds, result = measure(way, request["repeats"])
        path = f"{folder}/torch.f32"
        torch.cat([r.detach().reshape(-1) for r in result]).numpy().tofile(path)
        print(json.dumps({"seconds": seconds, "result": path, "way": way.__name__}), flush=True)


main()
