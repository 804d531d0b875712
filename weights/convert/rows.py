"""How many rows each coding step has to be ahead of the end of its segment: docs/MODEL_FORMAT.md section 7.

`set_ahead` is all that converters need. Rows are counted where no picture ends.
"""

POSITIONS = {"all": {(0, 0), (0, 1), (1, 0), (1, 1)}, "even": {(0, 0), (1, 1)}, "odd": {(0, 1), (1, 0)}}
FAR = 1 << 20      # so far down that no kernel reaches row 0


class Rows:
    """Which rows a node reads: output o has inputs o * stride - padding + k, or, transposed, those i with o = stride * i - padding + k."""

    def __init__(self, node, tensors):
        op = node["op"]
        self.kernel, self.stride, self.padding, self.transposed = 1, 1, 0, False
        self.columns = 1                                  # width of the kernel
        if op in ("conv2d", "conv_transpose2d", "depthwise_conv2d"):
            self.kernel, self.columns = tensors[node["weights"]["weight"]].shape[2:]
            self.stride, self.transposed = node["stride"], op == "conv_transpose2d"
            self.padding = node.get("padding", (self.kernel - 1) // 2)
            if node.get("mask") == "causal":
                self.kernel = self.padding + 1            # rows above, and its own
        elif op in ("pixel_shuffle", "pixel_unshuffle"):
            self.kernel = self.columns = self.stride = node["factor"]
            self.transposed = op == "pixel_shuffle"

    def end(self, out_end):
        """Inputs [0, result) that outputs [0, out_end) read; those of transposed windows are counted in whole groups."""
        if out_end <= 0:
            return 0
        if self.transposed:
            return (-(-out_end // self.stride) * self.stride - 1 + self.padding) // self.stride + 1
        return max((out_end - 1) * self.stride - self.padding + self.kernel, 0)

    def positions(self, wanted, node):
        """Parities that are read when those in `wanted` are made."""
        if self.stride != 1:
            return POSITIONS["all"] if wanted else set()
        left = (self.columns - 1) // 2
        return {((r + ky - self.padding) % 2, (c + kx - left) % 2) for r, c in wanted for ky in range(self.kernel)
                for kx in range(self.columns) if self.live(ky, kx, node.get("mask", "none"))}

    def live(self, ky, kx, mask):
        if mask == "causal":
            return (ky, kx) < (self.padding, self.columns // 2)
        return mask == "none" or (ky + kx) % 2


def in_order(graph):
    """The nodes, each behind those that make its inputs."""
    there, waiting, done = {i["name"] for i in graph["inputs"]}, list(graph["nodes"]), []
    while waiting:
        ready = [n for n in waiting if all(i in there for i in n["inputs"])]
        if not ready:
            raise ValueError(f"node {waiting[0]['name']} waits for a tensor that nothing makes")
        done += ready
        there.update(n["output"] for n in ready)
        waiting = [n for n in waiting if n["output"] not in there]
    return done


def input_ends(graph, tensors, out_end):
    """{input: rows [0, end) of it that the output's rows [0, out_end) need}"""
    ends = {graph["output"]: out_end}
    for node in reversed(in_order(graph)):
        need = Rows(node, tensors).end(ends.get(node["output"], 0))
        for name in node["inputs"]:
            ends[name] = max(ends.get(name, 0), need)
    return {i["name"]: ends.get(i["name"], 0) for i in graph["inputs"]}


def input_positions(graph, tensors, wanted):
    """{input: parities of it that the output's positions `wanted` need}"""
    read = {graph["output"]: wanted}
    for node in reversed(in_order(graph)):
        need = Rows(node, tensors).positions(read.get(node["output"], set()), node)
        for name in node["inputs"]:
            read[name] = read.get(name, set()) | need
    return {i["name"]: read.get(i["name"], set()) for i in graph["inputs"]}


def positions_of(part):
    return POSITIONS[part["positions"]] if isinstance(part["positions"], str) else {tuple(p) for p in part["positions"]}


def reads(producer, channels, positions):
    """Does a step code anything of these channels at these positions?"""
    return any(p["channels"][0] < channels[1] and channels[0] < p["channels"][1] and positions_of(p) & positions for p in producer["parts"])


def set_ahead(document, tensors):
    """Sets `ahead` of all coding steps to the least that will do. `tensors`: arrays by name, whose shapes give the kernels."""
    graphs, coding = document["graphs"], document["coding"]
    steps, psi_ahead = coding["steps"], 0
    for step in steps:
        step["ahead"] = 0
    for i in reversed(range(len(steps))):
        step, source = steps[i], steps[i]["distribution"]
        if source["kind"] == "fixed":
            continue
        graph = graphs[source["graph"]]
        ends = input_ends(graph, tensors, FAR)
        positions = input_positions(graph, tensors, set().union(*map(positions_of, step["parts"])))
        for name, place in source["inputs"].items():
            wanted = step["ahead"] + ends[name] - FAR
            if place == "psi":
                psi_ahead = max(psi_ahead, wanted)
                continue
            for producer in steps[:i]:
                if producer["codes"] == "y" and reads(producer, place, positions[name]):
                    producer["ahead"] = max(producer["ahead"], wanted)
    if "hyper" not in document:
        return
    ratio, (h_s,) = document["hyper"]["stride"] // document["latents"]["stride"], [s for s in steps if s["codes"] == "z"]
    for segment in range(ratio):
        rows = coding["segment_rows"] * (segment + 1)
        need = next(iter(input_ends(graphs["h_s"], tensors, rows + psi_ahead).values()))
        h_s["ahead"] = max(h_s["ahead"], need - -(-rows // ratio))
