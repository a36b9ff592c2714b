"""A recipe of Spack: put this folder into a repository of packages as packages/py_metacascade, or give a checkout to

    spack dev-build py-metacascade@main
"""
from spack.package import *
from spack_repo.builtin.build_systems.python import PythonPackage


class PyMetacascade(PythonPackage):
    """The blood-borne metastatic cascade, cell by cell, on any number of MPI ranks."""

    license("BSD-3-Clause")

    version("main", branch="main")

    variant("sweep", default=True, description="Latin and sobol designs of sweeps")
    variant("report", default=True, description="Pictures of studies")

    depends_on("c", type="build")
    depends_on("python@3.11:", type=("build", "run"))
    depends_on("py-setuptools@77:", type="build")
    depends_on("py-setuptools-scm@10:", type="build")
    depends_on("py-cython@3.1:", type="build")
    depends_on("py-numpy@2:", type=("build", "run"))
    depends_on("py-mpi4py@4:", type=("build", "run"))
    depends_on("py-h5py@3.10:", type=("build", "run"))
    depends_on("py-pydantic@2.7:", type=("build", "run"))
    depends_on("py-pint@0.24:", type=("build", "run"))
    depends_on("py-typer@0.12:", type=("build", "run"))
    depends_on("py-rich@13:", type=("build", "run"))
    depends_on("py-salib@1.5:", type="run", when="+sweep")
    depends_on("py-matplotlib@3.8:", type="run", when="+report")
