// The help, compared with what the command really is.

using System;
using System.Collections;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Management.Automation;
using System.Management.Automation.Language;
using System.Text.RegularExpressions;
using System.Xml;
using Xunit;

namespace RustRunspaces.PowerShellTests;

public sealed class HelpTests : ModuleTest
{
    private const string CommandName = "Invoke-RustParallel";
    private const string SiteCommandName = "Invoke-RustParallelSite";

    // That of the command which people type.
    private const string CommandPath = "//*[local-name()='command'][*[local-name()='details']/*[local-name()='name']='" + CommandName + "']";

    // Kept apart from the engine's own: the common parameters are every command's.
    private static readonly HashSet<string> CommonParameters =
        [.. PSCmdlet.CommonParameters, .. PSCmdlet.OptionalCommonParameters];

    [Fact]
    public void Every_command_has_help_and_is_exported_and_nothing_else()
    {
        string[] commands = Session.Run("(Get-Module RustRunspaces).ExportedCommands.Keys").Output.Select(name => name.ToString()!).ToArray();
        var manifest = (Hashtable)Session.Run("Import-PowerShellDataFile $path", ("path", ModuleUnderTest.Manifest)).Output.Single().BaseObject;
        string[] documented = HelpDocument().SelectNodes("//*[local-name()='details']/*[local-name()='name']")!
            .Cast<XmlNode>().Select(node => node.InnerText.Trim()).ToArray();
        Assert.Equal([CommandName, SiteCommandName], commands);
        Assert.Equal(commands, LanguagePrimitives.ConvertTo<string[]>(manifest["CmdletsToExport"]));
        Assert.Equal(commands, documented);
        foreach (string list in new[] { "FunctionsToExport", "AliasesToExport", "VariablesToExport" })
        {
            Assert.Empty(LanguagePrimitives.ConvertTo<string[]>(manifest[list]));
        }
    }

    [Fact]
    public void The_documented_parameters_are_those_of_the_command() =>
        Assert.Equal(Parameters().Keys.Order(), Documented().Keys.Order());

    [Fact]
    public void The_parameters_of_the_other_sides_command_are_documented()
    {
        var command = (CmdletInfo)Session.Run($"Get-Command {SiteCommandName}").Output.Single().BaseObject;
        string[] documented = HelpDocument()
            .SelectNodes($"{CommandPath.Replace($"'{CommandName}'", $"'{SiteCommandName}'")}//*[local-name()='parameters']/*[local-name()='parameter']")!
            .Cast<XmlElement>().Select(parameter => Text(parameter, "name")).Order().ToArray();
        Assert.Equal(command.Parameters.Keys.Where(name => !CommonParameters.Contains(name)).Order(), documented);
    }

    [Fact]
    public void Every_parameter_is_described() =>
        Assert.All(Documented(), parameter => Assert.NotEqual("", Text(parameter.Value, "description")));

    [Fact]
    public void The_syntax_has_the_parameters_of_each_parameter_set()
    {
        string[][] syntax = HelpDocument().SelectNodes($"{CommandPath}//*[local-name()='syntaxItem']")!.Cast<XmlNode>()
            .Select(item => item.SelectNodes("*[local-name()='parameter']/*[local-name()='name']")!
                .Cast<XmlNode>().Select(name => name.InnerText.Trim()).Order().ToArray())
            .ToArray();
        string[][] sets = Command().ParameterSets
            .Select(set => set.Parameters.Select(parameter => parameter.Name).Where(name => !CommonParameters.Contains(name)).Order().ToArray())
            .ToArray();
        Assert.Equal(
            sets.Select(set => string.Join(' ', set)).Order(StringComparer.Ordinal),
            syntax.Select(set => string.Join(' ', set)).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Type_aliases_position_and_pipeline_input_are_documented_as_they_are()
    {
        foreach ((string name, XmlElement help) in Documented())
        {
            ParameterMetadata parameter = Parameters()[name];
            ParameterSetMetadata set = parameter.ParameterSets.Values.First();
            string aliases = parameter.Aliases.Count == 0 ? "none" : string.Join(", ", parameter.Aliases);
            string pipeline = set.ValueFromPipeline && set.ValueFromPipelineByPropertyName ? "true (ByValue, ByPropertyName)"
                : set.ValueFromPipeline ? "true (ByValue)"
                : set.ValueFromPipelineByPropertyName ? "true (ByPropertyName)"
                : "false";
            Assert.Equal((name, aliases), (name, help.GetAttribute("aliases")));
            Assert.Equal((name, pipeline), (name, help.GetAttribute("pipelineInput")));
            Assert.Equal((name, set.Position == int.MinValue ? "named" : set.Position.ToString()), (name, help.GetAttribute("position")));
            Assert.Equal((name, set.IsMandatory ? "true" : "false"), (name, help.GetAttribute("required")));
            Assert.Equal((name, parameter.ParameterType.Name), (name, Text(help, "type", "name")));
        }
    }

    [Fact]
    public void Every_range_is_documented()
    {
        foreach ((string name, ParameterMetadata parameter) in Parameters())
        {
            foreach (ValidateRangeAttribute range in parameter.Attributes.OfType<ValidateRangeAttribute>())
            {
                if (range.MaxRange is int and not int.MaxValue)
                {
                    Assert.Contains($"{range.MinRange} to {range.MaxRange}", Text(Documented()[name], "description"));
                }
            }
        }
    }

    [Theory]
    [InlineData("Count", "4", "1")]
    [InlineData("ReplyTimeoutMilliseconds", "1000", "2500")]
    [InlineData("IntervalMilliseconds", "1000", "1000")]
    [InlineData("BufferSize", "32", "32")]
    [InlineData("PacketsPerSecond", "20000", "20000")]
    [InlineData("MaximumWaitTimeSeconds", "300", "300")]
    public void Every_default_is_documented(string name, string echo, string tcp)
    {
        string documented = Text(Documented()[name], "defaultValue");
        Assert.Matches($@"\b{echo}\b", documented);
        Assert.Matches($@"\b{tcp}\b", documented);
    }

    [Fact]
    public void The_engine_finds_the_help()
    {
        PSObject help = Session.Run($"Get-Help {CommandName} -Full").Output.Single();
        Assert.Contains("hosts", Property(help, "Synopsis")!.ToString());
        foreach (string name in Parameters().Keys)
        {
            Assert.Single(Session.Run($"Get-Help {CommandName} -Parameter {name}").Output);
        }
    }

    [Fact]
    public void There_are_at_least_three_examples_each_with_a_title_and_a_remark()
    {
        XmlElement[] examples = Examples();
        Assert.InRange(examples.Length, 3, 30);
        Assert.All(examples, example => Assert.NotEqual("", Text(example, "title")));
        Assert.All(examples, example => Assert.NotEqual("", Text(example, "remarks")));
    }

    [Fact]
    public void The_code_of_every_example_parses_and_calls_the_command_as_it_is()
    {
        foreach (XmlElement example in Examples())
        {
            AssertCallsFit(Text(example, "code"));
        }
    }

    [Fact]
    public void The_about_topic_names_every_state_of_the_probe_form_and_shows_calls_that_parse()
    {
        string topic = File.ReadAllText(Path.Combine(ModuleUnderTest.Folder, "en-US", "about_RustRunspaces.help.txt"));
        foreach (string state in new[]
        {
            "Success", "Refused", "TimedOut", "NameNotFound", "NameLookupTimedOut", "Unknown", "PermissionDenied", "Failed", "Stopped", "NotStarted",
        })
        {
            Assert.Matches($@"\b{state}\b", topic);
        }
        string[] calls = Regex.Matches(topic, $@"(?m)^        \S.*{CommandName}.*(\n            .*)*").Select(match => match.Value).ToArray();
        Assert.NotEmpty(calls);
        Assert.All(calls, AssertCallsFit);
    }

    [Fact]
    public void The_engine_finds_the_about_topic() =>
        Assert.Contains("Invoke-RustParallel", Session.Run("Get-Help about_RustRunspaces").Output.Single().ToString());

    private CmdletInfo Command() => (CmdletInfo)Session.Run($"Get-Command {CommandName}").Output.Single().BaseObject;

    private Dictionary<string, ParameterMetadata> Parameters() => Command().Parameters
        .Where(parameter => !CommonParameters.Contains(parameter.Key))
        .ToDictionary(parameter => parameter.Key, parameter => parameter.Value);

    private static XmlDocument HelpDocument()
    {
        var document = new XmlDocument();
        document.Load(Path.Combine(ModuleUnderTest.Folder, "en-US", "RustRunspaces.dll-Help.xml"));
        return document;
    }

    private static Dictionary<string, XmlElement> Documented() => HelpDocument()
        .SelectNodes($"{CommandPath}//*[local-name()='parameters']/*[local-name()='parameter']")!.Cast<XmlElement>()
        .ToDictionary(parameter => Text(parameter, "name"));

    private static XmlElement[] Examples() =>
        HelpDocument().SelectNodes($"{CommandPath}//*[local-name()='example']")!.Cast<XmlElement>().ToArray();

    private static string Text(XmlElement element, params string[] path)
    {
        string query = string.Join('/', path.Select(name => $"*[local-name()='{name}']"));
        return element.SelectSingleNode(query)?.InnerText.Trim() ?? "";
    }

    /// <summary>The code has no syntax error, and each call of the command binds.</summary>
    private void AssertCallsFit(string code)
    {
        ScriptBlockAst script = Parser.ParseInput(code, out _, out ParseError[] errors);
        Assert.True(errors.Length == 0, $"{code}: {errors.FirstOrDefault()?.Message}");
        CommandAst[] calls = script.FindAll(node => node is CommandAst call && call.GetCommandName() == CommandName, true).Cast<CommandAst>().ToArray();
        Assert.True(calls.Length > 0, $"{code} does not call {CommandName}");
        foreach (CommandAst call in calls)
        {
            foreach (CommandParameterAst parameter in call.CommandElements.OfType<CommandParameterAst>())
            {
                bool isKnown = Command().Parameters.Values.Any(known =>
                    known.Name.Equals(parameter.ParameterName, StringComparison.OrdinalIgnoreCase)
                    || known.Aliases.Contains(parameter.ParameterName, StringComparer.OrdinalIgnoreCase));
                Assert.True(isKnown, $"{code}: there is no parameter {parameter.ParameterName}");
            }
        }
    }
}
