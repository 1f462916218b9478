"""Stand-in for Autopsy: runs its file ingest module on files, and prints what became of them.

Arguments: the module, a folder for a case, and files. What Autopsy has of Java are the calls that
the examples in its own repository make (pythonExamples). Written for Jython 2.7 as well, which has
Java's own classes; elsewhere those are stood in for, too.
"""

import json
import os
import shutil
import subprocess
import sys
from types import ModuleType

module_path, case_folder = sys.argv[1:3]
events = []


class Constant(object):
    """Any attribute of it is its own name, as far as the module compares or passes it on."""

    def __init__(self, name):
        self.name = name

    def __getattr__(self, name):
        return Constant(name)


class Case(object):
    @staticmethod
    def getCurrentCase():
        return Case()

    def getModuleDirectory(self):
        return os.path.join(case_folder, "ModuleOutput")

    def getTempDirectory(self):
        return case_folder

    def getSleuthkitCase(self):
        return self

    def getBlackboard(self):
        return self

    def addReport(self, path, source, name):
        events.append({"page": os.path.isfile(path), "report": name, "source": source})

    def postArtifact(self, artifact, module_name, job_id):
        events.append({"posted": artifact, "source": module_name, "job": job_id})


class DataFile(object):
    def __init__(self, path, number):
        self.path, self.number = path, number

    def isFile(self):
        return True

    def getMIMEType(self):
        return {".mp4": "video/mp4", ".txt": "text/plain"}.get(os.path.splitext(self.path)[1])

    def getName(self):
        return os.path.basename(self.path)

    def getId(self):
        return self.number

    def newAnalysisResult(self, kind, score, conclusion, setting, why, attributes):
        (group,) = attributes
        values = [kind.name, score.name, conclusion, setting, why, group.values]
        result = Constant("result")
        result.getAnalysisResult = lambda: values
        return result


class Context(object):
    def getJobId(self):
        return 7


class Logger(object):
    @staticmethod
    def getLogger(name):
        return Logger()

    def log(self, level, message):
        events.append({"log": message})


class Attribute(object):
    Type = Constant("Type")

    def __init__(self, kind, source, value):
        self.values = [kind.name, source, value]


def write_to_file(data_file, target):
    shutil.copyfile(data_file.path, target.getPath())


def provide(name, **members):
    parts = name.split(".")
    for index in range(len(parts)):
        sys.modules.setdefault(".".join(parts[: index + 1]), ModuleType(parts[index]))
    vars(sys.modules[name]).update(members)


if sys.platform.startswith("java"):

    def execute(builder, terminator):
        return builder.start().waitFor()

else:

    class File(object):
        def __init__(self, folder, name):
            self.path = os.path.join(folder, name)

        def getPath(self):
            return self.path

        def delete(self):
            os.remove(self.path)

    class ProcessBuilder(object):
        def __init__(self, command):
            self.command = command

        def redirectErrorStream(self, merge):
            return self

        def redirectOutput(self, target):
            self.target = target.path

    def execute(builder, terminator):
        with open(builder.target, "wb") as stream:
            return subprocess.call(builder.command, stdout=stream, stderr=stream)

    class Arrays(object):
        @staticmethod
        def asList(*items):
            return items

    provide("java.io", File=File)
    provide("java.lang", ProcessBuilder=ProcessBuilder)
    provide("java.util", Arrays=Arrays)
    provide("java.util.logging", Level=Constant("Level"))

ingest = "org.sleuthkit.autopsy.ingest"
provide("org.sleuthkit.autopsy.casemodule", Case=Case)
provide("org.sleuthkit.autopsy.coreutils", Logger=Logger, ExecUtil=Constant("ExecUtil"))
sys.modules["org.sleuthkit.autopsy.coreutils"].ExecUtil.execute = execute
provide("org.sleuthkit.autopsy.datamodel", ContentUtils=Constant("ContentUtils"))
sys.modules["org.sleuthkit.autopsy.datamodel"].ContentUtils.writeToFile = write_to_file
provide(ingest, FileIngestModule=object, IngestModuleFactoryAdapter=object)
provide(ingest, FileIngestModuleProcessTerminator=Constant, IngestModule=Constant("IngestModule"))
provide("org.sleuthkit.datamodel", BlackboardArtifact=Constant("BlackboardArtifact"))
provide("org.sleuthkit.datamodel", BlackboardAttribute=Attribute, Score=Constant("Score"))

module = {"__name__": "mmmsba_ingest"}
with open(module_path) as source:
    exec(source.read(), module)  # noqa: S102 - the module under test
factory = module["MmmsbaIngestModuleFactory"]()
events.append(
    {"name": factory.getModuleDisplayName(), "files": factory.isFileIngestModuleFactory()}
)
ingest_module = factory.createFileIngestModule(None)
ingest_module.startUp(Context())
for number, path in enumerate(sys.argv[3:]):
    events.append({"result": ingest_module.process(DataFile(path, number)).name})
print(json.dumps(events))
