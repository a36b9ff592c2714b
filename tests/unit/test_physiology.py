"""The tables of the body and the graph made from them."""
import math

import numpy as np
import pytest

from metacascade.base.errors import InputError
from metacascade.base.nodes import BEDS, LYMPH_NODE, NODES, VESSELS
from metacascade.config.body import HOSTS
from metacascade.config.config import Config, load
from metacascade.mechanisms import plan_of
from metacascade.model import physiology
from metacascade.model.circuit import Circuit
from metacascade.model.physiology import ARTERIAL, BODIES, DRAINS, TUMOR, VENOUS

SPECIES = sorted(BODIES)


def circuit(species="human", organ="breast", **sections):
    config = Config.from_dict(dict(run=dict(species=species), tumor=dict(organ=organ)) | sections)
    return Circuit(config, plan_of(config))


def row(c, node):
    """The edges that leave a node."""
    return slice(int(c.guide[node, 0]), int(c.guide[node + 1, 0]) if node + 1 < len(NODES) else c.upper.size)


def shares(c, node):
    """Target -> share of the random words that lead there from `node`."""
    edges = np.diff(np.append(-1, c.upper[row(c, node)].astype(float)))
    return dict(zip(c.target[row(c, node)].tolist(), edges / 2**32))


@pytest.mark.parametrize("species", SPECIES)
def test_every_node_but_the_tumor_has_blood_and_they_sum_to_all_of_it(species):
    body = BODIES[species]
    assert set(body.blood) == set(BEDS) | set(VESSELS)
    assert math.fsum(body.blood.values()) == pytest.approx(100)


@pytest.mark.parametrize("species", SPECIES)
def test_every_bed_but_the_lung_is_fed_by_the_arteries_and_shares_sum_to_the_output(species):
    flow = BODIES[species].flow
    assert set(flow) == set(BEDS) - {"lung"}
    assert math.fsum(flow.values()) == pytest.approx(100, abs=0.1)


def test_a_fifth_of_the_human_output_goes_through_the_portal_vein():
    flow = BODIES["human"].flow
    assert sum(flow[name] for name, drain in DRAINS.items() if drain == "portal") == 19.0


def test_every_node_can_be_left_and_leads_back_to_the_lung():
    for node in NODES[1:]:
        way = [node]
        while way[-1] != "lung" or len(way) == 1:
            way.append("muscle" if way[-1] == "arterial" else DRAINS[way[-1]])
            assert len(way) < 8, way


@pytest.mark.parametrize("species", SPECIES)
def test_a_round_takes_blood_volume_over_cardiac_output(species):
    c, body = circuit(species), BODIES[species]
    total = math.fsum(body.flow.values())
    left = 1 + body.bronchial / 100         # of the output of the right heart
    visits = {name: body.flow.get(name, 0) / total for name in NODES} | dict(venous=1, lung=left, arterial=left)
    visits["portal"] = sum(visits[n] for n in ("stomach", "gut", "pancreas", "spleen"))
    visits["liver"] += visits["portal"]
    round_h = math.fsum(visits[name] * c.nodes["transit_h"][i] for i, name in enumerate(NODES))
    assert round_h == pytest.approx(body.blood_mL / body.output_mL_per_min / 60)


@pytest.mark.parametrize("species", SPECIES)
def test_the_arteries_serve_the_organs_by_their_flow_and_the_lung_by_its_bronchial_one(species):
    body = BODIES[species]
    total, left = math.fsum(body.flow.values()), 1 + body.bronchial / 100
    expected = {NODES.index(name): part / total / left for name, part in body.flow.items()}
    expected[NODES.index("lung")] = body.bronchial / 100 / left
    assert shares(circuit(species), ARTERIAL) == pytest.approx(expected, abs=1e-9)


def test_a_tumor_takes_its_flow_on_top_of_the_organs():
    c = circuit()
    assert TUMOR not in shares(c, ARTERIAL)
    c.set_tumor_flow(3 * 10**9)  # 10 g, 3 mL/min of 6500
    assert shares(c, ARTERIAL)[TUMOR] == pytest.approx(3 / (1.025 * 6500 + 3), rel=1e-6)
    assert c.volume_mL[TUMOR] == pytest.approx(0.3)


def test_the_flow_of_the_tumor_depends_on_the_count_alone():
    once, often = circuit(), circuit()
    for cells in (10**9, 5, 12345):
        often.set_tumor_flow(cells)
    once.set_tumor_flow(12345)
    assert (once.upper.tobytes(), once.guide.tobytes()) == (often.upper.tobytes(), often.guide.tobytes())


@pytest.mark.parametrize("organ", sorted(set(HOSTS) - {"rectum"}))
def test_a_tumor_drains_where_its_host_drains(organ):
    c = circuit(organ=organ, blood=dict(vertebral_bypass=0.0))
    assert shares(c, TUMOR) == {NODES.index(DRAINS[HOSTS[organ]]): 1.0}


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_a_tumor_of_the_rectum_drains_into_portal_and_caval_veins(share):
    c = circuit(organ="rectum", blood=dict(rectal_portal=share))
    expected = {node: part for node, part in {NODES.index("portal"): share, VENOUS: 1 - share}.items() if part}
    assert shares(c, TUMOR) == pytest.approx(expected)


def test_part_of_the_blood_of_a_prostate_enters_the_spine():
    assert shares(circuit(organ="prostate"), TUMOR) == pytest.approx({VENOUS: 0.9, NODES.index("bone"): 0.1})


RAT = dict(liver=2.4, brain=2.0, bone=12.2, kidney=14.1, adrenal=0.3, muscle=27.8, skin=5.8, heart=4.9, stomach=0.8,
           gut=11.1, pancreas=0.8, spleen=2.4, fat=7.0)


def own(**body):
    return load({"run": {"species": "mouse"}, "tumor": {}, "body": body})


def test_a_body_of_ones_own_keeps_what_is_given_and_shares_the_rest_as_its_species_does():
    body = physiology.body_of(own(output="110 mL/min", blood_volume="18.5 mL", flow=RAT, blood={"lung": 20}))
    assert body.output_mL_per_min == 110 and body.blood_mL == 18.5 and body.lymph_mL == BODIES["mouse"].lymph_mL
    assert {name: body.flow[name] for name in RAT} == RAT and body.flow["other"] == pytest.approx(8.4)
    others = [body.blood[name] / BODIES["mouse"].blood[name] for name in body.blood if name != "lung"]
    assert body.blood["lung"] == 20 and others == pytest.approx([80 / 87.5] * len(others))
    assert physiology.body_of(own()) == BODIES["mouse"]


def test_a_round_through_a_body_of_ones_own_takes_its_volume_over_its_output():
    config = own(output="110 mL/min", blood_volume="18.5 mL", flow=RAT, bronchial=2.1)
    c = Circuit(config, plan_of(config))
    assert c.nodes["transit_h"][VENOUS] == pytest.approx(0.215 * 18.5 / 110 / 60)
    assert c.nodes["transit_h"][NODES.index("muscle")] == pytest.approx(0.14 * 18.5 / (0.278 * 110) / 60)
    assert shares(c, ARTERIAL)[NODES.index("lung")] == pytest.approx(0.021 / 1.021)


@pytest.mark.parametrize("body, message", [
    ({"flow": {"lung": 3}}, "body.flow.lung = 3: unknown name"), ({"blood": {"livre": 3}}, "did you mean 'liver'?"),
    ({"flow": {"liver": 60, "brain": 40}}, "body.flow: adds up to 100 %, and nothing is left"),
    ({"flow": dict(RAT, other=12)}, "body.flow: adds up to 103.6 %, and with a number for each"),
    ({"blood": {"liver": 0}}, "body.blood.liver = 0: must be above 0"), ({"output": "0 mL/min"}, "body.output")])
def test_a_body_that_cannot_be_is_refused_with_its_key(body, message):
    with pytest.raises(InputError) as error:
        own(**body)
    assert message in str(error.value)


def test_without_a_tumor_nothing_reaches_its_bed():
    config = Config.from_dict(dict(run=dict(species="mouse")))
    c = Circuit(config, plan_of(config))
    c.set_tumor_flow(0)
    assert TUMOR not in c.target


def test_the_search_for_a_road_starts_at_the_first_that_it_can_find():
    c = circuit()
    c.set_tumor_flow(10**8)
    for node in range(len(NODES)):
        edges = row(c, node)
        assert c.upper[edges][-1] == 2**32 - 1 and (np.diff(c.upper[edges].astype(float)) > 0).all()
        words = np.arange(256, dtype=np.uint32) << np.uint32(24)
        assert (c.guide[node] == edges.start + np.searchsorted(c.upper[edges], words)).all(), node


def test_nodes_of_the_config_are_those_of_the_tables():
    assert (NODES[0], NODES[1:4]) == ("tumor", VESSELS) and set(physiology.KINDS) == {*NODES, LYMPH_NODE}


# --- lymph ------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("species, hours", [("human", (1, 4)), ("mouse", (0.1, 1))])
def test_with_lymph_there_is_one_node_more_which_drains_into_the_veins_and_gets_no_blood(species, hours):
    plain, c = circuit(species), circuit(species, lymphatic=dict(enabled=True))
    assert c.names == (*plain.names, LYMPH_NODE) and plain.lymph_node is None and c.names[c.lymph_node] == LYMPH_NODE
    assert hours[0] < c.nodes["transit_h"][c.lymph_node] < hours[1]
    assert c.target[int(c.guide[c.lymph_node, 0]):].tolist() == [VENOUS] and (c.target != c.lymph_node).all()
    assert c.nodes[:-1].tobytes() == plain.nodes.tobytes() and c.upper[:-1].tobytes() == plain.upper.tobytes()
    assert c.rates.by_node("blood.shear")[-1] == 0.0 < c.rates.by_node("blood.extravasate")[-1]


def test_of_the_cells_of_a_tumor_the_lymph_node_holds_most_at_first():
    """As of a hepatoma, of which a tenth came through within three hours; some always pass."""
    from metacascade.run.forecast_blood import Beds
    c = circuit(lymphatic=dict(enabled=True))
    passes = [Beds(c, diameter, emt=0).passes[c.lymph_node] for diameter in (15.5, 18.0)]
    assert 0.02 < passes[1] < 0.1 < passes[0] < 0.25
