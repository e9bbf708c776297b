"""The documented names are where the documents say, and take what they say, in that order.

What is ours beyond that comes behind and may be left out.
"""

import importlib
import inspect

import pytest

from ssseg import modules

FUNCTIONS = """
BuildActivation act_cfg
BuildBackbone backbone_cfg
BuildDataTransform transform_cfg
BuildDataset mode logger_handle dataset_cfg
BuildDistributedDataloader dataset dataloader_cfg
BuildDistributedModel model model_cfg
BuildDropout dropout_cfg
BuildLoggerHandle logger_handle_cfg
BuildLoss loss_cfg
BuildNormalization placeholder norm_cfg
BuildOptimizer model_or_params optimizer_cfg
BuildParamsConstructor params_rules filter_params optimizer_cfg
BuildScheduler optimizer scheduler_cfg
BuildSegmentor segmentor_cfg mode
ConfigParser library_name
EMASegmentor segmentor momentum device
EnvironmentCollector filter_env_keys
TrainingLoggingManager log_interval_iters log_interval_epochs logger_handle_cfg logger_handle
ddpallreducemean tensor
getgpupeakallocgb device
getgpupeakallocgbddp
initslurm cmd_args master_port
ismainprocess
judgefileexist filepath
loadckpts ckptspath map_to_cpu
loadpretrainedweights structure_type pretrained_model_path default_model_urls map_to_cpu possible_model_keys
postprocesspredgtpairs seg_results cfg logger_handle
saveckpts ckpts savepath make_soft_link soft_link_dst
setrandomseed seed
symlink src_path dst_path
touchdir directory
touchdirs directory
"""
METHODS = """
BaseModuleBuilder requires_register_modules requires_renew_modules
BaseModuleBuilder.build cfg
BaseModuleBuilder.register name module
BaseModuleBuilder.renew name module
BaseModuleBuilder.delete name
BaseModuleBuilder.pop name
BaseModuleBuilder.get name
SSSegInputStructure mode auto_validate images seg_targets edge_targets img2aug_pos_mapper
SSSegInputStructure.getannotations
SSSegOutputStructure mode auto_validate loss seg_logits losses_log_dict
SSSegOutputStructure.getsetvariables
SSSegOutputStructure.addfield name value
SSSegOutputStructure.delfield name
SSSegOutputStructure.setvariable name value
SSSegOutputStructure.stack instances dim
BaseSegmentor cfg mode
BaseSegmentor.forward data_meta
BaseSegmentor.customizepredsandlosses seg_logits annotations backbone_outputs losses_cfg img_size auto_calc_loss preds_to_tgts_mapping
BaseSegmentor.inference images forward_args
BaseSegmentor.auginference images forward_args
BaseSegmentor.transforminputs x_list selected_indices
BaseSegmentor.setauxiliarydecoder auxiliary_cfg
BaseSegmentor.setbackbone cfg
BaseSegmentor.setpixelsampler cfg
BaseSegmentor.freezenormalization norm_list
BaseScheduler optimizer lr min_lr warmup_cfg clipgrad_cfg max_epochs iters_per_epoch params_rules
BaseScheduler.step grad_scaler
BaseScheduler.updatelr
BaseScheduler.getwarmuplr cur_iter warmup_cfg regular_lr cur_epoch by_epoch
BaseScheduler.clipgradients params max_norm norm_type
BaseScheduler.state
BaseScheduler.setstate state_dict
BaseScheduler.zerograd
BaseDataset mode logger_handle dataset_cfg
BaseDataset.read imagepath annpath
BaseDataset.evaluate seg_preds seg_gts metric_list num_classes ignore_index nan_to_num beta
BaseDataset.constructtransforms data_pipelines record_img2aug_pos_mapper
BaseDataset.synctransforms sample_meta
BaseDataset.randompalette num_classes
"""  # noqa: E501
PROMPTABLE = """
sam.SAMPredictor sam_cfg use_default_sam_h use_default_sam_l use_default_sam_b device load_ckpt_strict
sam.SAMPredictor.setimage image image_format
sam.SAMPredictor.settorchimage transformed_image original_image_size
sam.SAMPredictor.predict point_coords point_labels box mask_input multimask_output return_logits
sam.SAMPredictor.predicttorch point_coords point_labels boxes mask_input multimask_output return_logits
sam.SAM.inference batched_input multimask_output
samv2.SAMV2ImagePredictor.setimage image
samv2.SAMV2ImagePredictor.setimagebatch image_list
samv2.SAMV2VideoPredictor.initstate video_path offload_video_to_cpu offload_state_to_cpu async_loading_frames
samv2.SAMV2VideoPredictor.addnewpoints inference_state frame_idx obj_id points labels clear_old_points normalize_coords
samv2.SAMV2VideoPredictor.addnewmask inference_state frame_idx obj_id mask
samv2.SAMV2VideoPredictor.propagateinvideo inference_state start_frame_idx max_frame_num_to_track reverse
mobilesam.MobileSAMPredictor sam_cfg use_default_sam_t_5m device load_ckpt_strict
edgesam.EdgeSAMPredictor sam_cfg use_default_edgesam use_default_edgesam_3x device load_ckpt_strict
edgesam.EdgeSAMPredictor.predict point_coords point_labels box mask_input num_multimask_outputs return_logits use_stability_score
samhq.SAMHQPredictor sam_cfg use_default_samhq_t_5m use_default_samhq_b use_default_samhq_l use_default_samhq_h device load_ckpt_strict
samhq.SAMHQPredictor.predict point_coords point_labels box mask_input multimask_output return_logits hq_token_only
sam.visualization.showmask mask ax random_color
sam.visualization.showpoints coords labels ax marker_size
sam.visualization.showbox box ax
sam.visualization.showanns anns
sam.transforms.ResizeLongestSide target_length
sam.transforms.ResizeLongestSide.getpreprocessshape oldh oldw long_side_length
"""  # noqa: E501


def rows(table):
    return [line.split() for line in table.splitlines() if line]


def check(found, path, documented):
    for name in path.split("."):
        found = getattr(found, name)
    parameters = {name: p for name, p in inspect.signature(found).parameters.items() if name != "self"}
    assert list(parameters)[: len(documented)] == documented
    for parameter in list(parameters.values())[len(documented) :]:
        assert parameter.kind is parameter.VAR_KEYWORD or parameter.default is not parameter.empty


@pytest.mark.parametrize(("name", "documented"), [(name, names) for name, *names in rows(FUNCTIONS + METHODS)])
def test_names_of_ssseg_modules(name, documented):
    assert name.split(".")[0] in modules.__all__
    check(modules, name, documented)


@pytest.mark.parametrize(("name", "documented"), [(name, names) for name, *names in rows(PROMPTABLE)])
def test_names_of_promptable_models(name, documented):
    package, _, path = name.partition(".")
    module = importlib.import_module(f"ssseg.modules.models.segmentors.{package}")
    inner = path.split(".")[0]
    if inner.islower():  # a module of the package
        module, path = importlib.import_module(f"{module.__name__}.{inner}"), path.partition(".")[2]
    check(module, path, documented)
